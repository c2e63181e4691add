// Reads every CLI v2 file that the inputs name, before anything is sent: their faults are told together.
import { type AssetFiles, readAssetFiles } from './asset/asset-files.ts';
import { type ModelDetails, readModelDetails } from './asset/model-file.ts';
import { type OnlineDeploymentFile, readOnlineDeployment } from './endpoint/online-deployment-file.ts';
import { type OnlineEndpointFile, readOnlineEndpoint } from './endpoint/online-file.ts';
import { type Fault, FileError, InputError } from './errors.ts';
import type { InputFile } from './inputs/reader.ts';
import type { Inputs } from './inputs.ts';
import { readComponentFile } from './job/file/component.ts';
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
}

/**
 * Reads them all.
 * @throws FileError holding the faults of every file; InputError where `asset-files` leads to none
 */
export function readFiles(inputs: Inputs, log: Log): RunFiles {
	const { train, register, deploy } = inputs;
	const broken: (FileError | InputError)[] = [];
	const warn = ({ message, where }: Fault): void => log.warning(message, where);
	const read = <T>(input: InputFile | undefined, take: (file: YamlFile) => T): T | undefined => {
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
		endpoint: read(deploy?.endpointFile, (file) => readOnlineEndpoint(onlineOnly(file), warn)),
		deployment: read(deploy?.deploymentFile, (file) => readOnlineDeployment(onlineOnly(file), warn)),
	};
	const [first, ...others] = broken;
	if (first === undefined) return files;
	if (others.length === 0) throw first;
	throw new FileError(
		broken.find((error) => error instanceof FileError)?.file ?? 'asset-files',
		broken.flatMap(({ faults }) => faults),
	);
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

function onlineOnly(file: YamlFile): YamlFile {
	const kind = kindOf(file);
	if (!kind.startsWith('batch-')) return file;
	throw new FileError(file.path, [
		{
			message:
				'Batch endpoints are not built yet in this version of the action; give an online endpoint or deployment.',
			where: file.root.at,
		},
	]);
}
