// What a model would be registered from, before the job that makes it has run: what the job's file says of its outputs is
// certain, what the job will log is not.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ModelDetails } from '../asset/model-file.ts';
import { isUri } from '../asset/reference.ts';
import type { Job } from '../job/job.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { UNKNOWN } from './unknowns.ts';

/** What is asked for, as the inputs and the model's file have it. */
export interface ModelWish {
	readonly path: string | undefined;
	readonly file: ModelDetails | undefined;
	/** Absolute path of the checkout. */
	readonly checkout: string;
	/** Only an MLflow model can be deployed as the inputs ask, because nothing else is there to serve it with. */
	readonly mlflow: boolean;
}

/** What to ask of registering instead, so that it needs no look at what the job has made. */
export interface AssumedModel {
	readonly path: string | undefined;
	readonly file: ModelDetails | undefined;
	/** What is assumed in that, in sentences. */
	readonly undecided: readonly string[];
}

const MODEL_TYPES = new Set(['mlflow_model', 'custom_model', 'triton_model']);
const OPEN_TYPE = 'The type of the model: it is `mlflow_model` where its folder has an `MLmodel` file.';
const METRICS = 'The metrics that the job logs are added to the tags.';

/** The wish with assumptions in the place of what only the finished job can tell. */
export async function assumeModel(
	{ path: written, file, checkout, mlflow }: ModelWish,
	job: Job,
): Promise<AssumedModel> {
	const asWished = { path: written, file };
	if (written !== undefined) return named(written, asWished, { checkout, mlflow }, job);
	if (file?.source !== undefined) return { ...asWished, undecided: [METRICS] };
	const outputs = Object.entries(job.outputs).filter(([name]) => name !== 'default');
	if (outputs.some(([, { type }]) => MODEL_TYPES.has(type))) return { ...asWished, undecided: [METRICS] };
	const folders = outputs.filter(([, { type }]) => type === 'uri_folder').map(([name]) => name);
	const folder = folders.includes('model') ? 'model' : folders.length === 1 ? folders[0] : undefined;
	if (folder !== undefined) {
		const undecided = [
			`That the model is the output \`${folder}\`, and its type: a folder with an \`MLmodel\` file among the artifacts of the job goes before it.`,
		];
		return { path: folder, file: mlflow ? ofMlflow(file) : file, undecided: [...undecided, METRICS] };
	}
	const artifacts = `azureml://jobs/${job.name}/outputs/artifacts/paths/${UNKNOWN.detected}/`;
	return { path: artifacts, file: ofMlflow(file), undecided: [METRICS] };
}

async function named(
	written: string,
	asWished: Pick<AssumedModel, 'path' | 'file'>,
	{ checkout, mlflow }: Pick<ModelWish, 'checkout' | 'mlflow'>,
	job: Job,
): Promise<AssumedModel> {
	const asked = withoutEndSlashes(written.replace(/^\.\//, ''));
	const [output = ''] = asked.split('/');
	if (isUri(written) || written.startsWith('runs:/')) return { ...asWished, undecided: [METRICS] };
	if (Object.hasOwn(job.outputs, output)) {
		if (MODEL_TYPES.has(job.outputs[output]?.type ?? '')) return { ...asWished, undecided: [METRICS] };
		const file = mlflow ? ofMlflow(asWished.file) : asWished.file;
		return { path: written, file, undecided: [OPEN_TYPE, METRICS] };
	}
	if ((await stat(path.resolve(checkout, written)).catch(() => undefined)) !== undefined) {
		const undecided = `That '${written}' is the path in the checkout: an artifact of the job with this path goes before it.`;
		return { ...asWished, undecided: [undecided, METRICS] };
	}
	const undecided = `That the job logs an artifact '${asked}', file or folder.`;
	const artifact = `azureml://jobs/${job.name}/outputs/artifacts/paths/${asked}`;
	const file = mlflow ? ofMlflow(asWished.file) : asWished.file;
	return { path: artifact, file, undecided: [undecided, OPEN_TYPE, METRICS] };
}

/** The file, or one that says nothing else, with the type of a folder that has an `MLmodel` file. */
function ofMlflow(file: ModelDetails | undefined): ModelDetails {
	if (file !== undefined) return { ...file, type: file.type ?? 'mlflow_model' };
	return {
		name: undefined,
		version: undefined,
		type: 'mlflow_model',
		source: undefined,
		flavors: undefined,
		stage: undefined,
		description: undefined,
		tags: undefined,
		properties: undefined,
		dependencies: [],
		at: { file: 'model-name' },
	};
}
