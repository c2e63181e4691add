// Runs the built action as GitHub's runner does: inputs and facts in the environment, file commands, signals, post step.
// It knows nothing of Azure, and reads nothing of the action's sources but action.yml.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readActionFile } from '../../scripts/action-file.ts';
import { readable } from './markdown.ts';

const ROOT = join(import.meta.dirname, '../..');
/** After its SIGINT the runner sends SIGTERM, and at last it kills: milliseconds after the SIGINT. */
const TERM_AFTER = 7_500;
const KILL_AFTER = 10_000;
/** How often the condition of a cancel is looked at. */
const POLL = 50;

/** The event that started the workflow. */
export interface WorkflowEvent {
	readonly name: string;
	readonly payload: object;
	/** `refs/heads/main` when absent. */
	readonly ref?: string;
}

/** When and how a run is stopped. */
export interface Cancel {
	/** Milliseconds after the start, or a condition, told the log so far and asked again and again. */
	readonly when: number | ((stdout: string) => boolean);
	/**
	 * `SIGINT` is a cancelled workflow or a step whose time is over, with the runner's later signals; `SIGTERM` a machine
	 * that is shut down; `SIGKILL` a runner that gives no time.
	 */
	readonly signal?: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
}

/** One run of the action. */
export interface ActionRequest {
	/** `with:` of the workflow; what is not given has the default of action.yml. */
	readonly inputs: Readonly<Record<string, string>>;
	/** The checkout, GITHUB_WORKSPACE. */
	readonly checkout: string;
	/** Beside and above what the runner sets. Nothing else is inherited but PATH. */
	readonly env?: Readonly<Record<string, string>>;
	/** A push to main when absent. */
	readonly event?: WorkflowEvent;
	/** What `github.token` is; none when absent. */
	readonly githubToken?: string;
	readonly cancel?: Cancel;
	/** Instead of the runner's own file commands, by name: `GITHUB_OUTPUT`, …; the empty text is none at all. */
	readonly commandFiles?: Readonly<Record<string, string>>;
	/** Told of the log as it comes. */
	readonly onOutput?: (text: string) => void;
	/** The step is killed after this many milliseconds; a minute when absent. */
	readonly limit?: number;
}

/** How one process of the action ended. */
export interface StepRun {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
	/** Pieces of the log with the time of their arrival, in milliseconds since the epoch. */
	readonly pieces: readonly { readonly at: number; readonly text: string }[];
	/** Milliseconds since the epoch. */
	readonly endedAt: number;
	/** Milliseconds that it took. */
	readonly took: number;
	/** Milliseconds from the first signal to the end; undefined where none was sent. */
	readonly tookToStop: number | undefined;
}

/** What a run of the action left to the runner. */
export interface ActionRun extends StepRun {
	readonly outputs: Readonly<Record<string, string>>;
	/** The job summary as its reader sees it: see markdown.ts. */
	readonly summary: string;
	/** The job summary as it was written. */
	readonly summaryMarkdown: string;
	readonly state: Readonly<Record<string, string>>;
	readonly post: StepRun;
}

const alive = new Set<ChildProcess>();
const folders = new Set<string>();
process.on('exit', () => {
	killAll();
	for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Kills every process of the action that this module has started. */
export function killAll(): void {
	for (const child of alive) child.kill('SIGKILL');
}

/** Runs the main step and then the post step. Throws when there is no built action. */
export async function runAction(request: ActionRequest): Promise<ActionRun> {
	const { runs } = readActionFile(join(ROOT, 'action.yml'));
	const [main = '', post = ''] = [runs['main'], runs['post']];
	for (const file of [main, post]) {
		if (!existsSync(join(ROOT, file))) throw new Error(`There is no ${file}. Build it first: npm run build`);
	}
	const temp = mkdtempSync(join(tmpdir(), 'runner-'));
	folders.add(temp);
	try {
		const mainFiles = commandFiles(temp, 'main');
		const env = environment(request, temp);
		const ran = await runStep(join(ROOT, main), { ...env, ...mainFiles, ...request.commandFiles }, request);
		const state = readCommands(mainFiles.GITHUB_STATE);
		const stated = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
		const { cancel: _, ...quiet } = request;
		const after = await runStep(join(ROOT, post), { ...env, ...commandFiles(temp, 'post'), ...stated }, quiet);
		const summaryMarkdown = readFileSync(mainFiles.GITHUB_STEP_SUMMARY, 'utf8');
		const outputs = readCommands(mainFiles.GITHUB_OUTPUT);
		return { ...ran, outputs, summary: readable(summaryMarkdown), summaryMarkdown, state, post: after };
	} finally {
		rmSync(temp, { recursive: true, force: true });
		folders.delete(temp);
	}
}

function commandFiles(temp: string, step: string) {
	const folder = join(temp, '_runner_file_commands', step);
	mkdirSync(folder, { recursive: true });
	const empty = (name: string): string => {
		const path = join(folder, name);
		writeFileSync(path, '');
		return path;
	};
	return {
		GITHUB_OUTPUT: empty('set_output'),
		GITHUB_STATE: empty('save_state'),
		GITHUB_STEP_SUMMARY: empty('step_summary'),
		GITHUB_ENV: empty('set_env'),
		GITHUB_PATH: empty('add_path'),
	};
}

function environment(request: ActionRequest, temp: string): Record<string, string> {
	const { checkout, event = { name: 'push', payload: {} }, githubToken = '', inputs, env = {} } = request;
	const ref = event.ref ?? 'refs/heads/main';
	const eventFile = join(temp, 'event.json');
	writeFileSync(eventFile, JSON.stringify(event.payload));
	const facts: Record<string, string> = {
		PATH: process.env['PATH'] ?? '',
		HOME: temp,
		LANG: 'C.UTF-8',
		CI: 'true',
		RUNNER_OS: 'Linux',
		RUNNER_ARCH: 'X64',
		RUNNER_TEMP: temp,
		GITHUB_ACTIONS: 'true',
		GITHUB_ACTOR: 'octocat',
		GITHUB_API_URL: 'https://api.github.com',
		GITHUB_EVENT_NAME: event.name,
		GITHUB_EVENT_PATH: eventFile,
		GITHUB_JOB: 'train',
		GITHUB_REF: ref,
		GITHUB_REF_NAME: ref.replace(/^refs\/(heads|tags|pull)\//, ''),
		GITHUB_REPOSITORY: 'octo-org/octo-repo',
		GITHUB_REPOSITORY_OWNER: 'octo-org',
		GITHUB_RUN_ATTEMPT: '1',
		GITHUB_RUN_ID: '1658821493',
		GITHUB_RUN_NUMBER: '3',
		GITHUB_SERVER_URL: 'https://github.com',
		GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
		GITHUB_WORKFLOW: 'train',
		GITHUB_WORKSPACE: checkout,
	};
	return { ...facts, ...defaults(githubToken), ...named(inputs), ...env };
}

function defaults(githubToken: string): Record<string, string> {
	const { inputs } = readActionFile(join(ROOT, 'action.yml'));
	const filled = inputs.map(({ name, default: value = '' }) => [
		name,
		value.replace(/\$\{\{\s*github\.token\s*\}\}/, () => githubToken),
	]);
	return named(Object.fromEntries(filled));
}

function named(inputs: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(inputs).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]),
	);
}

async function runStep(
	file: string,
	env: Record<string, string>,
	{ checkout, cancel, onOutput, limit = 60_000 }: ActionRequest,
): Promise<StepRun> {
	const started = Date.now();
	const child = spawn(process.execPath, [file], { cwd: checkout, env, stdio: ['ignore', 'pipe', 'pipe'] });
	alive.add(child);
	const pieces: { at: number; text: string }[] = [];
	const timers = [setTimeout(() => child.kill('SIGKILL'), limit)];
	let [stdout, stderr] = ['', ''];
	let signalled: number | undefined;
	const stop = (): void => {
		if (signalled !== undefined) return;
		signalled = Date.now();
		child.kill(cancel?.signal ?? 'SIGINT');
		timers.push(setTimeout(() => child.kill('SIGTERM'), TERM_AFTER));
		timers.push(setTimeout(() => child.kill('SIGKILL'), KILL_AFTER));
	};
	const when = cancel?.when;
	if (typeof when === 'number') timers.push(setTimeout(stop, when));
	if (typeof when === 'function') timers.push(setInterval(() => when(stdout) && stop(), POLL));
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		pieces.push({ at: Date.now(), text });
		stdout += text;
		onOutput?.(text);
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		stderr += text;
	});
	const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
		child.once('error', reject).once('close', (...end) => resolve(end));
	});
	alive.delete(child);
	for (const timer of timers) clearTimeout(timer);
	const endedAt = Date.now();
	const tookToStop = signalled === undefined ? undefined : endedAt - signalled;
	return { code, signal, stdout, stderr, pieces, endedAt, took: endedAt - started, tookToStop };
}

/** Reads a file of `name=value` lines and of `name<<delimiter` blocks. */
export function readCommands(file: string): Record<string, string> {
	const values: Record<string, string> = {};
	const lines = readFileSync(file, 'utf8').split(/\r?\n/);
	while (lines.length > 0) {
		const line = lines.shift() ?? '';
		const [, block, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? [];
		if (block !== undefined) {
			const end = lines.indexOf(delimiter ?? '');
			if (end < 0) throw new Error(`The value of ${block} has no end: there is no line "${delimiter}".`);
			values[block] = lines
				.splice(0, end + 1)
				.slice(0, -1)
				.join('\n');
		} else if (line.includes('=')) {
			values[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
		}
	}
	return values;
}
