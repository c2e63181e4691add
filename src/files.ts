// Reads every CLI v2 file that the inputs name, before anything is sent: their faults are told together.
import { type AssetFiles, readAssetFiles } from './asset/asset-files.ts';
import { type ModelDetails, readModelDetails } from './asset/model-file.ts';
import {
	type BatchDeploymentFile,
	type ReadPipelineComponent,
	readBatchDeployment,
} from './endpoint/batch-deployment-file.ts';
import { type BatchEndpointFile, readBatchEndpoint } from './endpoint/batch-file.ts';
import { batchInputFaults } from './endpoint/batch-plan.ts';
import { type OnlineDeploymentFile, readOnlineDeployment } from './endpoint/online-deployment-file.ts';
import { type OnlineEndpointFile, readOnlineEndpoint } from './endpoint/online-file.ts';
import { type Fault, FileError, InputError } from './errors.ts';
import type { InputFile } from './inputs/reader.ts';
import type { Inputs } from './inputs.ts';
import { downloadFaults } from './job/download.ts';
import { nodeComponent, readComponentFile } from './job/file/component.ts';
import { withCompute } from './job/file/compute-override.ts';
import { type JobFile, readJobFile } from './job/file/index.ts';
import type { Log } from './log.ts';
import { kindOf } from './yaml/kind.ts';
import { openYaml } from './yaml/load.ts';
import type { YamlFile } from './yaml/node.ts';
import { applySet } from './yaml/set.ts';

/** The files of a run, checked. */
export interface RunFiles {
	readonly assets: AssetFiles;
	readonly job: { readonly path: string; readonly job: JobFile } | undefined;
	readonly model: ModelDetails | undefined;
	readonly endpoint: OnlineEndpointFile | undefined;
	readonly deployment: OnlineDeploymentFile | undefined;
	/** The files of a batch endpoint; undefined where the run deploys to an online one, or not at all. */
	readonly batch: BatchFiles | undefined;
}

/** The files of a batch endpoint. */
export interface BatchFiles {
	readonly endpoint: BatchEndpointFile | undefined;
	readonly deployment: BatchDeploymentFile | undefined;
}

/** Reads the file of an input; undefined where there is none, or it is broken, which is kept for later. */
type Read = <T>(input: InputFile | undefined, take: (file: YamlFile) => T) => T | undefined;

/**
 * Reads them all.
 * @throws FileError holding the faults of every file, and of inputs that do not go with them; InputError where there are
 * only the latter, or `asset-files` leads to none
 */
export function readFiles(inputs: Inputs, log: Log): RunFiles {
	const { train, register } = inputs;
	const broken: (FileError | InputError)[] = [];
	const warn = ({ message, where }: Fault): void => log.warning(message, where);
	const read: Read = (input, take) => {
		if (input === undefined) return undefined;
		try {
			return take(openYaml(input.absolute, input.path));
		} catch (error) {
			if (!(error instanceof FileError)) throw error;
			broken.push(error);
			return undefined;
		}
	};
	const files: RunFiles = {
		assets: readAssets(inputs, log, broken),
		job: read(train?.file, (file) => ({
			path: file.path,
			job: readJobFile(overridden(file, train?.set ?? [], train?.compute), warn),
		})),
		model: read(register?.file, (file) => readModelDetails(file, warn)),
		...readEndpointFiles(inputs, read, broken, warn),
	};
	if (files.job !== undefined) {
		const faults = downloadFaults(train?.download ?? [], files.job.job.outputs.keys());
		if (faults.length > 0) broken.push(new InputError(faults));
	}
	const [first, ...others] = broken;
	if (first === undefined) return files;
	if (others.length === 0) throw first;
	const faults = broken.flatMap((error) => error.faults);
	const file = broken.find((error) => error instanceof FileError)?.file;
	throw file === undefined ? new InputError(faults) : new FileError(file, faults);
}

function readAssets(
	{ assetFiles, run, target }: Inputs,
	log: Log,
	broken: (FileError | InputError)[],
): RunFiles['assets'] {
	try {
		return readAssetFiles(assetFiles, {
			checkout: run.checkout,
			target,
			readComponent: readComponentFile,
			warn: ({ message, where }) => log.warning(message, where),
			mask: (value) => log.mask(value),
		});
	} catch (error) {
		if (!(error instanceof FileError || error instanceof InputError)) throw error;
		broken.push(error);
		return { workspace: undefined, assets: [] };
	}
}

/** `compute` goes last, so that it wins over a `set` of the same. */
function overridden(file: YamlFile, set: readonly string[], compute: string | undefined): YamlFile {
	const changed = applySet(file, set);
	return compute === undefined ? changed : withCompute(changed, compute);
}

const pipelineComponent: ReadPipelineComponent = (node, reading) => nodeComponent(node, reading, 'pipeline').dependency;

/** Reads the files of the endpoint and the deployment, both of online ones or both of batch ones. */
function readEndpointFiles(
	{ deploy, register }: Inputs,
	read: Read,
	broken: (FileError | InputError)[],
	warn: (warning: Fault) => void,
): Pick<RunFiles, 'endpoint' | 'deployment' | 'batch'> {
	const kinds = new Map<'online' | 'batch', YamlFile>();
	const isBatch = (file: YamlFile): boolean => {
		const kind = kindOf(file).startsWith('batch-') ? 'batch' : 'online';
		kinds.set(kind, file);
		return kind === 'batch';
	};
	const endpoint = read(deploy?.endpointFile, (file) =>
		isBatch(file) ? { batch: readBatchEndpoint(file, warn) } : { online: readOnlineEndpoint(file, warn) },
	);
	const deployment = read(deploy?.deploymentFile, (file) =>
		isBatch(file)
			? { batch: readBatchDeployment(file, warn, pipelineComponent) }
			: { online: readOnlineDeployment(file, warn) },
	);
	const [batch, online] = [kinds.get('batch'), kinds.get('online')];
	const onlineFiles = { endpoint: endpoint?.online, deployment: deployment?.online };
	if (deploy === undefined || batch === undefined) return { ...onlineFiles, batch: undefined };
	if (online !== undefined) broken.push(mixed(batch, online));
	const faults = batchInputFaults({
		...deploy,
		deploymentFile: deploy.deploymentFile !== undefined,
		deploymentType: deployment?.batch?.type,
		model: register !== undefined,
	});
	if (faults.length > 0) broken.push(new InputError(faults));
	return { ...onlineFiles, batch: { endpoint: endpoint?.batch, deployment: deployment?.batch } };
}

function mixed(batch: YamlFile, online: YamlFile): FileError {
	const message = `This file is about a batch endpoint, and ${online.path} about an online one; both must be about the same endpoint.`;
	return new FileError(batch.path, [{ message, where: batch.root.at }]);
}
