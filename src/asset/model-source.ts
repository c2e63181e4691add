// Which content a model is registered from: what the user names, or the one thing in a job's outputs that is a model.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ActionError } from '../errors.ts';
import { withoutEndSlashes } from '../slashes.ts';
import { artifactRun, type JobContentParts, listArtifacts, listOutput, type TrainedJob } from './job-content.ts';
import type { Need } from './needs.ts';
import { isUri } from './reference.ts';

/** Where a model comes from: a URI, or a local path that is still to be uploaded. */
export interface ModelSource {
	readonly from: { readonly need: 'uri'; readonly uri: string } | Need<'upload'>;
	/** The type of the content, as far as the content itself or its output tells. */
	readonly type: string | undefined;
	/** The content comes from the job, not from somewhere else. */
	readonly ofJob: boolean;
}

export interface SourceParts extends JobContentParts {
	/** Absolute path of the checkout. */
	readonly checkout: string;
}

const MODEL_TYPES = new Set(['mlflow_model', 'custom_model', 'triton_model']);
/** How many names a message lists. */
const LISTED = 20;

/**
 * The content that `model-path` names: an output of the job, a path among its artifacts, a URI, or a local path.
 * @throws ActionError where it is none of these, or empty
 */
export async function namedSource(
	written: string,
	job: TrainedJob | undefined,
	parts: SourceParts,
): Promise<ModelSource> {
	if (isUri(written) || written.startsWith('runs:/')) {
		return { from: { need: 'uri', uri: written }, type: undefined, ofJob: false };
	}
	const asked = withoutEndSlashes(written.replace(/^\.\//, ''));
	if (job !== undefined) {
		const [output = '', ...below] = asked.split('/');
		if (Object.hasOwn(job.outputs, output)) return outputSource(job, output, below.join('/'), parts);
		const artifacts = await listArtifacts(job, parts);
		const found = artifacts.filter((one) => one === asked || one.startsWith(`${asked}/`));
		if (found.length > 0) return artifactSource(job, asked, found);
	}
	const local = path.resolve(parts.checkout, written);
	const there = await stat(local).catch(() => undefined);
	if (there !== undefined) {
		const mlflow =
			there.isDirectory() && (await stat(path.join(local, 'MLmodel')).catch(() => undefined)) !== undefined;
		const type = mlflow ? 'mlflow_model' : 'custom_model';
		// `path` is a file of the user's only in name: the input stands in for it where faults are told.
		const at = { file: written };
		return { from: { need: 'upload', path: local, written, type, datastore: undefined, at }, type, ofJob: false };
	}
	throw new ActionError({
		what: `Nothing was found to register at model-path '${written}'.`,
		why: job === undefined ? `There is no ${local}.` : `${await inventory(job, parts)} There is no ${local} either.`,
		next: 'Give the name of an output of the job, a path among its artifacts, an azureml:// URI, or a path in the checkout.',
	});
}

/**
 * The model that a job has made, where there is no doubt: its one output of a model type, else its one folder of artifacts
 * with an `MLmodel` file, else its one output folder.
 * @throws ActionError listing what there is, where there are several or none
 */
export async function detectedSource(job: TrainedJob, parts: SourceParts): Promise<ModelSource> {
	const outputs = Object.entries(job.outputs).filter(([name]) => name !== 'default');
	const models = outputs.filter(([, { type }]) => MODEL_TYPES.has(type)).map(([name]) => name);
	const only = single(models, job, 'outputs of a model type');
	if (only !== undefined) return outputSource(job, only, '', parts);
	const artifacts = await listArtifacts(job, parts);
	const folders = artifacts
		.filter((one) => path.posix.basename(one) === 'MLmodel')
		.map((one) => path.posix.dirname(one));
	const folder = single(folders, job, 'folders with an MLmodel file');
	if (folder !== undefined) return artifactSource(job, folder === '.' ? '' : folder, artifacts);
	const names = outputs.filter(([, { type }]) => type === 'uri_folder').map(([name]) => name);
	const output = names.includes('model') ? 'model' : single(names, job, 'output folders');
	if (output !== undefined) return outputSource(job, output, '', parts);
	throw new ActionError({
		what: `The job ${job.name} has made nothing that looks like a model.`,
		why: await inventory(job, parts, artifacts),
		next: 'Say with `model-path` what is to be registered.',
	});
}

function single(names: readonly string[], job: TrainedJob, what: string): string | undefined {
	if (names.length <= 1) return names[0];
	throw new ActionError({
		what: `Which model to register is not clear: the job ${job.name} has ${names.length} ${what}.`,
		why: `They are: ${listed(names)}.`,
		next: 'Say with `model-path` which one is meant.',
	});
}

async function outputSource(job: TrainedJob, output: string, below: string, parts: SourceParts): Promise<ModelSource> {
	const all = await listOutput(job, output, parts);
	const found = all?.filter((one) => below === '' || one === below || one.startsWith(`${below}/`));
	const place = below === '' ? output : `${output}/${below}`;
	if (found?.length === 0) throw empty(job, `output '${place}'`, job.outputs[output]?.uri);
	const declared = job.outputs[output]?.type;
	const mlflow = found?.includes(below === '' ? 'MLmodel' : `${below}/MLmodel`);
	const seen = mlflow ? 'mlflow_model' : undefined;
	const type = declared !== undefined && MODEL_TYPES.has(declared) ? declared : seen;
	const file = found?.length === 1 && found[0] === below && below !== '';
	const tail = below === '' || file ? below : `${below}/`;
	return {
		from: { need: 'uri', uri: `azureml://jobs/${artifactRun(job)}/outputs/${output}/paths/${tail}` },
		type,
		ofJob: true,
	};
}

function artifactSource(job: TrainedJob, place: string, artifacts: readonly string[]): ModelSource {
	const file = artifacts.includes(place);
	const folder = place === '' ? '' : `${place}/`;
	const type = artifacts.includes(`${folder}MLmodel`) ? 'mlflow_model' : undefined;
	const uri = `azureml://jobs/${artifactRun(job)}/outputs/artifacts/paths/${file ? place : folder}`;
	return { from: { need: 'uri', uri }, type, ofJob: true };
}

function empty(job: TrainedJob, what: string, uri: string | undefined): ActionError {
	return new ActionError({
		what: `The ${what} of the job ${job.name} holds nothing, so no model was registered.`,
		...(uri === undefined ? {} : { why: `No file is below ${uri}.` }),
		next: 'Check where the training script writes the model; the outputs of the job stay as they are.',
	});
}

async function inventory(job: TrainedJob, parts: SourceParts, known?: readonly string[]): Promise<string> {
	const outputs = Object.entries(job.outputs).map(([name, { type }]) => `${name} (${type})`);
	const artifacts = known ?? (await listArtifacts(job, parts));
	return `Outputs of the job: ${listed(outputs)}. Its artifacts: ${listed(artifacts)}.`;
}

function listed(names: readonly string[]): string {
	if (names.length === 0) return 'none';
	const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
	return `${names.slice(0, LISTED).join(', ')}${more}`;
}
