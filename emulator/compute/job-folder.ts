// The folders of one command job on disk: code, inputs and outputs, brought from storage before and taken back after.

import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CommandRun, JobInput, JobOutput, JobSite } from '../execution.ts';
import type { CommandValues } from './command-line.ts';

/** Where a job's things are on disk. */
export interface JobFolder {
	/** The folder of everything below; it goes with `remove`. */
	root: string;
	/** The current folder of the command; holds the code. */
	working: string;
	/** Absolute paths of the outputs by name. */
	outputs: Record<string, string>;
	remove(): Promise<void>;
}

/** The output that the service adds to every job: the artifacts of the run. */
const ARTIFACTS = 'default';
/** Folders of the working folder whose content becomes artifacts of the run. */
const ARTIFACT_FOLDERS = ['outputs', 'logs'];

/** Makes the folders of a job, named as on a compute node below its own root. */
export async function makeJobFolder(run: CommandRun): Promise<JobFolder> {
	const root = await mkdtemp(join(tmpdir(), 'azureml-job-'));
	const working = join(root, 'exe', 'wd');
	await mkdir(working, { recursive: true });
	const outputs: Record<string, string> = {};
	for (const [name, output] of Object.entries(run.outputs)) {
		outputs[name] = await makeOutput(join(dataFolder(root), name), name, output);
	}
	return { root, working, outputs, remove: () => rm(root, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Fetches code and inputs; answers what the names in the command stand for. Rejects with the message of the site. */
export async function fetchInputs(run: CommandRun, folder: JobFolder, site: JobSite): Promise<CommandValues> {
	if (run.codeUri !== undefined) await site.fetch(run.codeUri, folder.working);
	const inputs: Record<string, string> = {};
	for (const [name, input] of Object.entries(run.inputs)) {
		const value = await fetchInput(join(dataFolder(folder.root), `INPUT_${name}`), name, input, site);
		if (value !== undefined) inputs[name] = value;
	}
	return { inputs, outputs: folder.outputs };
}

/** Stores the outputs of the job, and its `outputs` and `logs` folders among the artifacts of the run. */
export async function storeOutputs(run: CommandRun, folder: JobFolder, site: JobSite): Promise<void> {
	for (const [name, output] of Object.entries(run.outputs)) {
		const path = folder.outputs[name];
		if (path !== undefined && (await holdsFiles(path))) await site.store(path, output.uri);
	}
	const artifacts = run.outputs[ARTIFACTS];
	if (artifacts === undefined) return;
	for (const name of ARTIFACT_FOLDERS) {
		const path = join(folder.working, name);
		if (await holdsFiles(path)) await site.store(path, `${artifacts.uri.replace(/\/+$/, '')}/${name}`);
	}
}

function dataFolder(root: string): string {
	return join(root, 'cap', 'data-capability', 'wd');
}

async function fetchInput(folder: string, name: string, input: JobInput, site: JobSite): Promise<string | undefined> {
	// Literals carry `value`; an optional input that was not given carries neither.
	if (input.uri === undefined) return input.value;
	if (input.mode?.toLowerCase() === 'direct') return input.uri;
	const path = isFile(input.jobInputType) ? join(folder, fileName(input.uri, name)) : folder;
	await mkdir(dirname(path), { recursive: true });
	await site.fetch(input.uri, path);
	return path;
}

async function makeOutput(folder: string, name: string, output: JobOutput): Promise<string> {
	await mkdir(folder, { recursive: true });
	return isFile(output.jobOutputType) ? join(folder, fileName(output.uri, name)) : folder;
}

function isFile(type: string): boolean {
	return /^uri_?file$/i.test(type);
}

/** The last segment of a URI as a file name; of an ARM id, which ends in a version number, the input's own name. */
function fileName(uri: string, name: string): string {
	const path = uri.split('?')[0] ?? '';
	if (/^(azureml:)?\/subscriptions\//i.test(path) || /\/versions\/[^/]+$/.test(path)) return name;
	const last = decodeURIComponent(path.replace(/\/+$/, '').split(/[/:]/).pop() ?? '');
	return last === '' || last === '.' || last === '..' || last.includes('/') ? name : last;
}

async function holdsFiles(path: string): Promise<boolean> {
	const entry = await stat(path).catch(() => undefined);
	if (entry === undefined) return false;
	if (!entry.isDirectory()) return true;
	const entries = await readdir(path, { recursive: true, withFileTypes: true });
	return entries.some((inside) => !inside.isDirectory());
}
