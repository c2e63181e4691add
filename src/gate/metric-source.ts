// The metrics of a finished job by the names that gates use: its own, those of a sweep's best trial, and those of a
// pipeline's steps as `step/metric`.
import type { Workspace } from '../azure/workspace.ts';
import { ActionError, ServiceError } from '../errors.ts';
import { jobPath } from '../job/job.ts';
import { type Metrics, readMetrics } from '../job/metrics.ts';
import { type Json, listAt, objectAt, textAt } from '../json.ts';

/** Metrics to look up by name. */
export interface MetricSource {
	/** The value, possibly NaN; undefined where there is no metric of that name. */
	find(name: string): Promise<number | undefined>;
	/** The names that `find` knows, for messages. */
	names(): Promise<readonly string[]>;
}

/** A job, as far as its metrics matter. */
export interface MeasuredJob {
	readonly name: string;
	/** `Command`, `Sweep`, `Pipeline`, … */
	readonly type: string;
	readonly properties: Readonly<Record<string, string>>;
}

/** A run of run history: a job, a step or a trial. */
interface Run {
	readonly id: string;
	/** What a step is called, the likeliest first. */
	readonly labels: readonly string[];
	readonly properties: Json;
}

/** How many steps are looked into for the list of names. */
const LISTED_STEPS = 30;
/** The longest page of steps that is asked for. */
const PAGE = '500';

/**
 * The metrics of a job.
 * @param known those of the job itself, where they were read before
 */
export function jobMetrics(
	job: MeasuredJob,
	{ workspace, signal, known }: { workspace: Workspace; signal?: AbortSignal | undefined; known?: Metrics | undefined },
): MetricSource {
	const tree = new RunTree(workspace, signal);
	const root: Run = { id: job.name, labels: [job.name], properties: job.properties };
	if (known !== undefined) tree.remember(job.name, known);
	const deep = job.type === 'Pipeline';
	return {
		find: async (name) => {
			const value = await tree.find(root, name, deep);
			if (value !== undefined || !deep) return value;
			const shown = await byDisplayName(job, name, workspace, signal);
			return shown === undefined ? undefined : tree.find(root, shown, deep);
		},
		names: () => tree.names(root, deep),
	};
}

/** The same metric by the display name of its step, which run history knows, where `name` has the step's key in the file. */
async function byDisplayName(
	job: MeasuredJob,
	name: string,
	workspace: Workspace,
	signal: AbortSignal | undefined,
): Promise<string | undefined> {
	const [key = '', ...rest] = name.split('/');
	if (rest.length === 0) return undefined;
	const call = { doing: `look at the steps of the job "${job.name}"`, signal };
	const resource = await workspace.arm.find(jobPath(workspace, job.name), call);
	const shown = textAt(resource, 'properties', 'jobs', key, 'display_name');
	return shown === undefined || shown === key ? undefined : [shown, ...rest].join('/');
}

/** The run that holds the metrics of a job's result: of a sweep or of AutoML its best trial, which the job names. */
export function bestTrial(properties: Json): string | undefined {
	return textAt(properties, 'best_child_run_id') || undefined;
}

class RunTree {
	readonly #workspace: Workspace;
	readonly #signal: AbortSignal | undefined;
	readonly #metrics = new Map<string, Metrics>();
	readonly #children = new Map<string, readonly Run[]>();

	constructor(workspace: Workspace, signal: AbortSignal | undefined) {
		this.#workspace = workspace;
		this.#signal = signal;
	}

	remember(id: string, metrics: Metrics): void {
		this.#metrics.set(id, metrics);
	}

	/** MLflow allows slashes in names, so a metric of the run itself goes before one of a step. */
	async find(run: Run, name: string, deep: boolean): Promise<number | undefined> {
		const own = await this.#metricsOf(run);
		if (Object.hasOwn(own, name)) return own[name];
		if (!deep || !name.includes('/')) return undefined;
		const steps = await this.#childrenOf(run.id);
		for (const rank of [0, 1]) {
			const values = new Set<number>();
			for (const step of steps) {
				const label = step.labels[rank];
				if (label === undefined || !name.startsWith(`${label}/`)) continue;
				const value = await this.find(step, name.slice(label.length + 1), true);
				if (value !== undefined) values.add(value);
			}
			if (values.size > 1) throw ambiguous(name, [...values]);
			if (values.size === 1) return [...values][0];
		}
		return undefined;
	}

	async names(run: Run, deep: boolean): Promise<readonly string[]> {
		const names = Object.keys(await this.#metricsOf(run));
		for (const step of deep ? (await this.#childrenOf(run.id)).slice(0, LISTED_STEPS) : []) {
			names.push(...Object.keys(await this.#metricsOf(step)).map((name) => `${step.labels[0]}/${name}`));
		}
		return names;
	}

	/** Whether a sweep's own run holds metrics, and whether a reused step's does, is not confirmed: either way is taken. */
	async #metricsOf({ id, properties }: Run): Promise<Metrics> {
		const reused = textAt(properties, 'azureml.reusedrunid');
		const trial = bestTrial(properties);
		return {
			...(reused === undefined ? {} : await this.#read(reused)),
			...(await this.#read(id)),
			...(trial === undefined ? {} : await this.#read(trial)),
		};
	}

	async #read(id: string): Promise<Metrics> {
		const known = this.#metrics.get(id);
		if (known !== undefined) return known;
		// A step that never began has no run, and so no metrics.
		const metrics = await readMetrics(this.#workspace, id, this.#signal).catch((error) => absent(error, {}));
		this.#metrics.set(id, metrics);
		return metrics;
	}

	async #childrenOf(id: string): Promise<readonly Run[]> {
		const known = this.#children.get(id);
		if (known !== undefined) return known;
		const runs: Run[] = [];
		const asked = new Set<string>();
		let query: Readonly<Record<string, string>> | undefined = { $top: PAGE };
		while (query !== undefined && !asked.has(JSON.stringify(query))) {
			asked.add(JSON.stringify(query));
			const page: Json = await this.#workspace
				.data('/history/v1.0', `/runs/${encodeURIComponent(id)}/children`, {
					doing: `list the steps of the job "${id}"`,
					query,
					signal: this.#signal,
				})
				.catch((error) => absent(error, null));
			runs.push(...listAt(page, 'value').flatMap(runFrom));
			query = nextQuery(page);
		}
		this.#children.set(id, runs);
		return runs;
	}
}

/** Only what the link to the next page asks for is taken, not its address. */
function nextQuery(page: Json): Record<string, string> | undefined {
	const link = textAt(page, 'nextLink') ?? '';
	if (URL.canParse(link)) return Object.fromEntries(new URL(link).searchParams);
	const token = textAt(page, 'continuationToken') ?? '';
	return token === '' ? undefined : { $top: PAGE, $continuationtoken: token };
}

/** A step shows its display name in studio; its component's name is kept as `azureml.moduleName`. */
function runFrom(item: Json): Run[] {
	const id = textAt(item, 'runId');
	if (id === undefined) return [];
	const properties = objectAt(item, 'properties');
	const names = [textAt(item, 'displayName') || id, textAt(properties, 'azureml.moduleName') || undefined];
	return [{ id, labels: names.filter((name): name is string => name !== undefined), properties }];
}

function absent<T>(error: unknown, instead: T): T {
	if (error instanceof ServiceError && error.status === 404) return instead;
	throw error;
}

function ambiguous(name: string, values: readonly number[]): ActionError {
	return new ActionError({
		what: `Which '${name}' a gate means is not clear.`,
		why: `Several steps of the pipeline go by that name, with the values ${values.join(', ')}.`,
		next: 'Give the steps a `display_name` of their own.',
	});
}
