// Runs a workflow file of an example against an emulated workspace, as GitHub would: events, `needs`, matrix, conditions,
// permissions, outputs. It knows check-out, this action, and shell steps; any other `uses:` is an error.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Emulator } from '../../emulator/emulator.ts';
import { type ActionRun, readCommands, runAction } from '../e2e/runner.ts';
import { withoutMasks } from '../e2e/workflow-log.ts';
import { type Contexts, fill, fillAll, holds } from './expressions.ts';
import { matrixOf } from './matrix.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const REPOSITORY = 'octo-org/octo-repo';
/** A slow machine is no fault of an example; a hang ends here. */
const LIMIT = 240_000;

/** What starts a workflow. */
export interface Trigger {
	readonly event: string;
	readonly payload?: Readonly<Record<string, unknown>>;
	/** `refs/heads/main` when absent. */
	readonly ref?: string;
	/** Of `workflow_dispatch` and `workflow_call`. */
	readonly inputs?: Readonly<Record<string, string>>;
	readonly runId?: string;
}

/** The place where workflows run. */
export interface Scene {
	readonly emulator: Emulator;
	/** The repository: a copy of the example that a test may change. */
	readonly repository: string;
	/** Beside the ids of the emulator. */
	readonly vars?: Readonly<Record<string, string>>;
	/** False for a repository that has set up nothing yet, or a fork. */
	readonly trusted?: boolean;
	/** What a test changes of an action's inputs, such as minutes that are too long to wait. */
	readonly adjust?: (inputs: Record<string, string>) => Record<string, string>;
	/** Folder with programs that go before those of the machine. */
	readonly bin?: string;
}

/** A step that ran. */
export interface StepResult {
	readonly name: string;
	readonly outcome: 'success' | 'failure';
	readonly outputs: Readonly<Record<string, string>>;
	/** Of this action. */
	readonly run?: ActionRun;
	readonly log: string;
}

/** A job, or one leg of its matrix. */
export interface JobResult {
	readonly result: 'success' | 'failure' | 'skipped';
	readonly matrix: Readonly<Record<string, unknown>>;
	readonly steps: readonly StepResult[];
	readonly outputs: Readonly<Record<string, string>>;
}

interface Step {
	readonly id?: string;
	readonly name?: string;
	readonly if?: unknown;
	readonly uses?: string;
	readonly run?: string;
	readonly with?: Readonly<Record<string, unknown>>;
	readonly env?: Readonly<Record<string, unknown>>;
	readonly 'continue-on-error'?: boolean;
}

interface Job {
	readonly needs?: string | readonly string[];
	readonly if?: unknown;
	readonly permissions?: Readonly<Record<string, string>>;
	readonly environment?: string | { readonly name: string };
	readonly strategy?: { readonly matrix?: Readonly<Record<string, unknown>> };
	readonly env?: Readonly<Record<string, unknown>>;
	readonly outputs?: Readonly<Record<string, string>>;
	readonly steps: readonly Step[];
}

interface Workflow {
	readonly name?: string;
	readonly on: string | readonly string[] | Readonly<Record<string, { readonly types?: readonly string[] } | null>>;
	readonly permissions?: Readonly<Record<string, string>>;
	readonly env?: Readonly<Record<string, unknown>>;
	readonly jobs: Readonly<Record<string, Job>>;
}

/** Copies an example to a folder of its own. Whoever asks for it removes it. */
export function copyExample(name: string): string {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), `example-${name}-`)));
	cpSync(join(EXAMPLES, name), folder, { recursive: true });
	return folder;
}

/** Runs a workflow of the repository, by its file's name. Throws where the event does not start it. */
export async function runWorkflow(scene: Scene, file: string, trigger: Trigger): Promise<Record<string, JobResult[]>> {
	const text = readFileSync(join(scene.repository, '.github/workflows', file), 'utf8');
	const workflow = parse(text) as Workflow;
	if (!starts(workflow.on, trigger)) throw new Error(`${file} is not started by ${trigger.event}.`);
	const done: Record<string, JobResult[]> = {};
	const left = new Map(Object.entries(workflow.jobs));
	while (left.size > 0) {
		const [key, job] = [...left].find(([, { needs = [] }]) => [needs].flat().every((one) => one in done)) ?? [];
		if (key === undefined || job === undefined) throw new Error(`The jobs ${[...left.keys()]} wait for each other.`);
		left.delete(key);
		done[key] = await new JobRun(scene, workflow, key, job, trigger, done).legs();
	}
	return done;
}

/** The only leg of a job. */
export function only(legs: readonly JobResult[] | undefined): JobResult {
	const [leg, ...more] = legs ?? [];
	if (leg === undefined || more.length > 0) throw new Error(`Expected one leg, found ${legs?.length ?? 0}.`);
	return leg;
}

/** The only run of the action in a job. */
export function actionOf(legs: readonly JobResult[] | undefined): ActionRun {
	const [run, ...more] = only(legs).steps.flatMap((step) => step.run ?? []);
	if (run === undefined || more.length > 0)
		throw new Error(`Expected one run of the action, found ${1 + more.length}.`);
	return run;
}

const PULL_REQUEST_TYPES = ['opened', 'synchronize', 'reopened'];

function starts(on: Workflow['on'], { event, payload }: Trigger): boolean {
	if (typeof on === 'string') return on === event;
	if (Array.isArray(on)) return on.includes(event);
	if (!(event in on)) return false;
	const [, settings] = Object.entries(on).find(([name]) => name === event) ?? [];
	const types = settings?.types ?? (event.startsWith('pull_request') ? PULL_REQUEST_TYPES : undefined);
	return types === undefined || types.includes(String(payload?.['action']));
}

class JobRun {
	readonly #scene: Scene;
	readonly #workflow: Workflow;
	readonly #key: string;
	readonly #job: Job;
	readonly #trigger: Trigger;
	readonly #needs: Readonly<Record<string, JobResult[]>>;

	constructor(
		scene: Scene,
		workflow: Workflow,
		key: string,
		job: Job,
		trigger: Trigger,
		done: Readonly<Record<string, JobResult[]>>,
	) {
		this.#scene = scene;
		this.#workflow = workflow;
		this.#key = key;
		this.#job = job;
		this.#trigger = trigger;
		this.#needs = Object.fromEntries([job.needs ?? []].flat().map((name) => [name, done[name] ?? []]));
	}

	/** Runs the job once for each combination of its matrix, side by side. */
	async legs(): Promise<JobResult[]> {
		const contexts = this.#contexts();
		const failed = Object.values(this.#needs)
			.flat()
			.some(({ result }) => result !== 'success');
		if (!holds(this.#job.if, contexts, failed)) return [{ result: 'skipped', matrix: {}, steps: [], outputs: {} }];
		this.#identify();
		const matrix = fillAll(this.#job.strategy?.matrix ?? {}, contexts) as Record<string, unknown>;
		return Promise.all(matrixOf(matrix).map((values) => this.#leg({ ...contexts, matrix: values }, values)));
	}

	async #leg(contexts: Contexts, matrix: Readonly<Record<string, unknown>>): Promise<JobResult> {
		const folder = realpathSync(mkdtempSync(join(tmpdir(), 'job-')));
		const checkout = join(folder, 'checkout');
		mkdirSync(checkout);
		const steps: StepResult[] = [];
		const byId: Record<string, { outputs: object; outcome: string; conclusion: string }> = {};
		const here = (): Contexts => ({ ...contexts, steps: byId, runner: { temp: folder } });
		let failed = false;
		try {
			for (const step of this.#job.steps) {
				if (!holds(step.if, here(), failed)) continue;
				const result = await this.#step(step, here(), { folder, checkout });
				steps.push(result);
				const forgiven = result.outcome === 'failure' && step['continue-on-error'] === true;
				const conclusion = forgiven ? 'success' : result.outcome;
				if (step.id !== undefined) byId[step.id] = { outputs: result.outputs, outcome: result.outcome, conclusion };
				failed ||= conclusion === 'failure';
			}
			const outputs = fillAll(this.#job.outputs ?? {}, here()) as Record<string, string>;
			return { result: failed ? 'failure' : 'success', matrix, steps, outputs };
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	}

	async #step(step: Step, contexts: Contexts, at: { folder: string; checkout: string }): Promise<StepResult> {
		const env = { ...this.#environment(step, contexts), RUNNER_TEMP: at.folder };
		const name = step.name ?? step.uses ?? step.run ?? '';
		if (step.uses?.startsWith('actions/checkout@')) {
			cpSync(this.#scene.repository, at.checkout, { recursive: true });
			return { name, outcome: 'success', outputs: {}, log: '' };
		}
		if (step.uses?.includes('/azure-ml-action@')) {
			const run = await this.#action(step, contexts, env, at.checkout);
			const outcome = run.code === 0 ? 'success' : 'failure';
			return { name, outcome, outputs: run.outputs, run, log: withoutMasks(run.stdout) };
		}
		if (step.run === undefined) throw new Error(`There is no ${step.uses} here: an example needs this action only.`);
		return { name, ...this.#shell(fill(step.run, contexts), env, at) };
	}

	#action(step: Step, contexts: Contexts, env: Record<string, string>, checkout: string): Promise<ActionRun> {
		const { emulator, adjust = (same: Record<string, string>) => same } = this.#scene;
		const given = fillAll(step.with ?? {}, contexts) as Record<string, unknown>;
		const inputs = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
		const { event, payload = {}, ref } = this.#trigger;
		const reports = ['pull-requests', 'deployments'].some((scope) => this.#permissions[scope] === 'write');
		return runAction({
			inputs: adjust({ ...inputs, cloud: emulator.cloudFile }),
			checkout,
			env,
			event: { name: event, payload, ...(ref === undefined ? {} : { ref }) },
			// Without permission to write GitHub's token could do nothing that the action does with it.
			githubToken: reports && this.#scene.trusted !== false ? emulator.github.token : '',
			limit: LIMIT,
		});
	}

	#shell(script: string, env: Record<string, string>, at: { folder: string; checkout: string }) {
		const output = join(at.folder, 'output');
		writeFileSync(output, '');
		const path = [this.#scene.bin, process.env['PATH']].filter(Boolean).join(':');
		const { status, stdout, stderr } = spawnSync('bash', ['-eo', 'pipefail', '-c', script], {
			cwd: at.checkout,
			env: {
				PATH: path,
				HOME: at.folder,
				GITHUB_OUTPUT: output,
				GITHUB_STEP_SUMMARY: join(at.folder, 'summary'),
				...env,
			},
			encoding: 'utf8',
		});
		const outcome: StepResult['outcome'] = status === 0 ? 'success' : 'failure';
		return { outcome, outputs: readCommands(output), log: stdout + stderr };
	}

	/** What the step finds in its environment; the service for ID tokens only where the job may ask for one. */
	#environment(step: Step, contexts: Contexts): Record<string, string> {
		const own = fillAll({ ...this.#workflow.env, ...this.#job.env, ...step.env }, contexts) as Record<string, unknown>;
		const texts = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, String(value)]));
		const mayAsk = this.#permissions['id-token'] === 'write' && this.#scene.trusted !== false;
		const services = Object.entries(this.#scene.emulator.env).filter(
			([name]) => mayAsk || !name.startsWith('ACTIONS_ID_TOKEN'),
		);
		return {
			...Object.fromEntries(services),
			GITHUB_JOB: this.#key,
			GITHUB_WORKFLOW: this.#workflow.name ?? '',
			GITHUB_RUN_ID: this.#trigger.runId ?? '1658821493',
			...texts,
		};
	}

	get #permissions(): Readonly<Record<string, string>> {
		return this.#job.permissions ?? this.#workflow.permissions ?? {};
	}

	/** The subject of the job's ID tokens: its environment, else the pull request, else the branch. */
	#identify(): void {
		const { environment } = this.#job;
		const { event, ref = 'refs/heads/main' } = this.#trigger;
		const name = typeof environment === 'object' ? environment.name : environment;
		const context = name !== undefined ? `environment:${name}` : event === 'pull_request' ? event : `ref:${ref}`;
		this.#scene.emulator.setGitHubIdentity({ subject: `repo:${REPOSITORY}:${context}`, event, ref });
	}

	#contexts(): Contexts {
		const { emulator, trusted = true, vars = {} } = this.#scene;
		const { event, payload = {}, ref = 'refs/heads/main', inputs = {}, runId = '1658821493' } = this.#trigger;
		const ids = {
			AZURE_CLIENT_ID: emulator.clientId,
			AZURE_TENANT_ID: emulator.tenantId,
			AZURE_SUBSCRIPTION_ID: emulator.subscriptionId,
		};
		const target = { AZURE_RESOURCE_GROUP: emulator.resourceGroup, AZURE_ML_WORKSPACE: emulator.workspace };
		return {
			github: {
				event_name: event,
				event: { ...payload, inputs },
				ref,
				ref_name: ref.replace(/^refs\/(heads|tags|pull)\//, ''),
				repository: REPOSITORY,
				run_id: runId,
				run_attempt: '1',
				token: emulator.github.token,
				workflow: this.#workflow.name,
			},
			secrets: trusted ? { ...ids, GITHUB_TOKEN: emulator.github.token } : {},
			vars: trusted ? { ...target, ...vars } : {},
			inputs,
			needs: Object.fromEntries(Object.entries(this.#needs).map(([name, legs]) => [name, needOf(legs)])),
			matrix: {},
			steps: {},
			env: this.#workflow.env ?? {},
			runner: {},
		};
	}
}

function needOf(legs: readonly JobResult[]): { result: string; outputs: object } {
	const failed = legs.find(({ result }) => result !== 'success');
	return { result: failed?.result ?? 'success', outputs: Object.assign({}, ...legs.map(({ outputs }) => outputs)) };
}
