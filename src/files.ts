// Reads every CLI v2 file that the inputs name, before anything is sent: their faults are told together.
import { type AssetFiles, readAssetFiles } from './asset/asset-files.ts';
import { type ModelFile, readModelFile } from './asset/model-file.ts';
import { type OnlineDeploymentFile, readOnlineDeployment } from './endpoint/online-deployment-file.ts';
import { type OnlineEndpointFile, readOnlineEndpoint } from './endpoint/online-file.ts';
import { FileError, InputError } from './errors.ts';
import type { InputFile } from './inputs/reader.ts';
import type { Inputs } from './inputs.ts';
import { readComponentFile } from './job/file/component.ts';
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
	readonly model: ModelFile | undefined;
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
	const read = <T>(input: InputFile | undefined, take: (file: YamlFile) => T): T | undefined => {
		if (input === undefined) return undefined;
		try {
			const file = openYaml(input.absolute, input.path);
			for (const { message, where } of file.warnings) log.warning(message, where);
			return take(file);
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
			job: readJobFile(applySet(file, [...(train?.set ?? []), ...computeOverride(file, train?.compute)])),
		})),
		model: read(register?.file, readModelFile),
		endpoint: read(deploy?.endpointFile, (file) => readOnlineEndpoint(onlineOnly(file))),
		deployment: read(deploy?.deploymentFile, (file) => readOnlineDeployment(onlineOnly(file))),
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

/** `compute` as an override, to go last, so that it wins over a `set` of the same. */
function computeOverride(file: YamlFile, compute: string | undefined): readonly string[] {
	if (compute === undefined) return [];
	const named = /^(serverless$|local$|azureml:|\/)/.test(compute) ? compute : `azureml:${compute}`;
	return [`${kindOf(file) === 'job:pipeline' ? 'settings.default_compute' : 'compute'}=${named}`];
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
