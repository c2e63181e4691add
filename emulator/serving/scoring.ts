// The scoring process behind an emulated online deployment: starts server.py and tells when it takes requests.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseEnvironment, isExecutable } from '../compute/job-environment.ts';
import { type ProcessGroup, startGroup } from '../compute/process-group.ts';
import type { ScoringProcess, ServeRequest } from '../execution.ts';
import { ContainerLog, type ServerWord } from './container-log.ts';

const SERVER = fileURLToPath(new URL('server.py', import.meta.url));
/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 2000;

/** Starts to serve a deployment; `ready` tells when, or why it never will. */
export function startScoring(request: ServeRequest): ScoringProcess {
	const scoring = new Scoring(request);
	// A caller that only wants the log need not wait for it.
	scoring.ready.catch(() => {});
	return scoring;
}

class Scoring implements ScoringProcess {
	readonly ready: Promise<void>;
	readonly #request: ServeRequest;
	readonly #log: ContainerLog;
	readonly #token = randomUUID();
	#port: number | undefined;
	#group: ProcessGroup | undefined;
	#stopped = false;
	#settle: (word: ServerWord) => void = () => {};

	constructor(request: ServeRequest) {
		this.#request = request;
		this.#log = new ContainerLog(this.#token, (word) => this.#settle(word));
		this.ready = this.#start();
	}

	port(): number {
		if (this.#port === undefined) throw new Error('The scoring process has no port yet. Await `ready` first.');
		return this.#port;
	}

	log(tail?: number): string {
		return this.#log.read(tail);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		await this.#group?.terminate(KILL_AFTER_MS);
		await this.#group?.ended.catch(() => {});
	}

	async #start(): Promise<void> {
		const arguments_ = await serverArguments(this.#request);
		await mkdir(this.#request.workFolder, { recursive: true });
		const environment = await servingEnvironment(this.#request);
		if (this.#stopped) throw new Error('The scoring process was stopped before it started.');
		const word = new Promise<ServerWord>((resolve) => {
			this.#settle = resolve;
		});
		this.#group = startGroup({
			file: pythonOn(environment['PATH'] ?? ''),
			args: [SERVER, '--token', this.#token, ...arguments_],
			cwd: this.#request.codeFolder ?? this.#request.workFolder,
			environment,
			onOutput: (bytes) => this.#log.write(bytes),
		});
		const ended = this.#group.ended.then((end): ServerWord => {
			const how = end.code === null ? `by ${end.signal}` : `with status code ${end.code}`;
			return { word: 'failed', text: `The scoring process ended ${how} before it was ready.` };
		});
		const { word: outcome, text } = await Promise.race([word, ended]);
		if (outcome !== 'ready') {
			// The reason is out before the process is; its last lines belong to the log.
			await ended;
			throw new Error(this.#stopped ? 'The scoring process was stopped before it was ready.' : text);
		}
		this.#port = Number(text);
	}
}

/** What server.py is told to serve. Rejects for a deployment that has neither a script nor an MLflow model. */
async function serverArguments(request: ServeRequest): Promise<string[]> {
	if (request.scoringScript !== undefined && request.codeFolder !== undefined) {
		return ['--code', request.codeFolder, '--script', request.scoringScript];
	}
	if (request.modelType === 'mlflow_model' && request.modelFolder !== undefined) {
		return ['--mlflow-model', await mlflowFolder(request.modelFolder)];
	}
	throw new Error(
		`The deployment has no scoring script, and its model is of type ${request.modelType ?? 'custom_model'}. ` +
			'Only an mlflow_model is served without code: give the deployment a code_configuration.',
	);
}

/** The folder with the MLmodel file: the given one or one directly in it. */
async function mlflowFolder(folder: string): Promise<string> {
	const children = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
	for (const one of [folder, ...children]) {
		if (await stat(join(one, 'MLmodel')).catch(() => undefined)) return one;
	}
	throw new Error('The model is of type mlflow_model but holds no MLmodel file. Register the folder that has one.');
}

async function servingEnvironment(request: ServeRequest): Promise<Record<string, string>> {
	const environment: Record<string, string> = {
		...(await baseEnvironment(request.host ?? process.env, request.workFolder)),
		PYTHONDONTWRITEBYTECODE: '1',
	};
	if (request.modelFolder !== undefined) environment['AZUREML_MODEL_DIR'] = request.modelFolder;
	if (request.codeFolder !== undefined) environment['AML_APP_ROOT'] = request.codeFolder;
	if (request.scoringScript !== undefined) environment['AZUREML_ENTRY_SCRIPT'] = request.scoringScript;
	return { ...environment, ...request.environmentVariables };
}

function pythonOn(path: string): string {
	const found = ['python3', 'python']
		.flatMap((name) => path.split(delimiter).map((folder) => join(folder, name)))
		.find((file) => isExecutable(file));
	if (found === undefined) {
		throw new Error('No python was found on PATH, so the deployment cannot be served here. Install python 3.');
	}
	return found;
}
