// MLflow's tracking server (REST 2.0) over the runs of the emulated workspace: the routes and what each one does.
// Who may call them, and HTTP itself, are the server's; the model registry is not here.

import {
	type ArtifactStore,
	artifactUri,
	listArtifacts,
	listProxied,
	proxiedPath,
	readArtifact,
} from './mlflow/artifacts.ts';
import { runFilter, runOrder } from './mlflow/run-filter.ts';
import { activeRun, findRun, RunLog, rename } from './mlflow/run-log.ts';
import {
	type ArtifactRoot,
	type Fields,
	integer,
	invalid,
	MlflowError,
	objects,
	optionalText,
	page,
	paged,
	proxiedRoot,
	runStatus,
	text,
	texts,
	wireExperiment,
	wireInfo,
	wireRun,
} from './mlflow/wire.ts';
import { type Experiment, isTerminal, type RunStore } from './runs.ts';

export type { ArtifactStore, StoredArtifact } from './mlflow/artifacts.ts';
export { TrackingKeys } from './mlflow/tracking-keys.ts';

/** A request to the tracking server; `path` is what follows the base of the tracking URI, e.g. `/api/2.0/mlflow/runs/get`. */
export interface MlflowRequest {
	method: string;
	/** Still percent-encoded. */
	path: string;
	query: URLSearchParams;
	body: Buffer;
}

/** An answer of the tracking server. */
export interface MlflowAnswer {
	status: number;
	contentType: string;
	body: Buffer;
}

/** `runType` of the runs that clients make over MLflow; only these take their status from MLflow. */
export const MLFLOW_RUN_TYPE = 'mlflow';

type Route = (fields: Fields) => Fields | Promise<Fields>;

const API = /^\/api\/2\.0\/(?:preview\/)?mlflow\/(.+)$/;
const PROXY = /^\/api\/2\.0\/mlflow-artifacts\/artifacts(?:\/(.*))?$/;
const REGISTRY = /^(registered-models|model-versions)\//;
/** Where MLflow's default experiment, `0`, is found in a workspace. */
const DEFAULT_EXPERIMENT = 'Default';

/** The tracking server of one workspace. */
export class MlflowServer {
	readonly #runs: RunStore;
	readonly #artifacts: ArtifactStore;
	readonly #clock: () => number;
	readonly #routes: Record<string, Route>;
	readonly #log: RunLog;
	readonly #root: ArtifactRoot;

	/** `clock` gives milliseconds since 1970; `root` where clients are to look for artifacts. */
	constructor(
		runs: RunStore,
		artifacts: ArtifactStore,
		clock: () => number = Date.now,
		root: ArtifactRoot = proxiedRoot,
	) {
		this.#runs = runs;
		this.#artifacts = artifacts;
		this.#clock = clock;
		this.#log = new RunLog(runs);
		this.#root = root;
		this.#routes = this.#makeRoutes();
	}

	/** Answers a request; never rejects: what goes wrong is an answer in MLflow's form. */
	async handle(request: MlflowRequest): Promise<MlflowAnswer> {
		try {
			return await this.#answer(request);
		} catch (error) {
			const known = error instanceof MlflowError ? error : new MlflowError('INTERNAL_ERROR', String(error));
			return json({ error_code: known.code, message: known.message }, known.status);
		}
	}

	async #answer(request: MlflowRequest): Promise<MlflowAnswer> {
		const proxied = PROXY.exec(request.path);
		if (proxied) return await this.#proxy(request, decodeURIComponent(proxied[1] ?? ''));
		const name = API.exec(request.path)?.[1] ?? '';
		if (REGISTRY.test(name)) {
			throw new MlflowError(
				'NOT_IMPLEMENTED',
				`The emulator has no MLflow model registry (${name}). Register models as Azure ML model versions.`,
			);
		}
		const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
		if (route === undefined || !allowed(name, request.method)) {
			throw new MlflowError(
				'ENDPOINT_NOT_FOUND',
				`The tracking server has no endpoint ${request.method} ${request.path}.`,
			);
		}
		return json(await route(fieldsOf(request)));
	}

	async #proxy(request: MlflowRequest, path: string): Promise<MlflowAnswer> {
		if (request.method === 'GET' && path === '') {
			const folder = proxiedPath(request.query.get('path') ?? '');
			return json(await listProxied(this.#artifacts, findRun(this.#runs, { run_id: folder.runId }), folder.path));
		}
		const file = proxiedPath(path);
		const run = findRun(this.#runs, { run_id: file.runId });
		if (request.method === 'GET') {
			const body = await readArtifact(this.#artifacts, run, file.path);
			return { status: 200, contentType: 'application/octet-stream', body };
		}
		if (request.method !== 'PUT') {
			throw new MlflowError('NOT_IMPLEMENTED', `The emulator does not ${request.method} artifacts.`);
		}
		await this.#artifacts.write(artifactUri(run, file.path), request.body);
		return json({});
	}

	#makeRoutes(): Record<string, Route> {
		return {
			'experiments/create': (fields) => this.#createExperiment(fields),
			'experiments/get': (fields) => ({ experiment: wireExperiment(this.#experiment(text(fields, 'experiment_id'))) }),
			'experiments/get-by-name': (fields) => this.#experimentByName(text(fields, 'experiment_name')),
			'experiments/search': (fields) => this.#searchExperiments(fields),
			'runs/create': (fields) => this.#createRun(fields),
			'runs/get': (fields) => this.#getRun(fields),
			'runs/update': (fields) => this.#updateRun(fields),
			'runs/delete': (fields) => this.#setDeleted(fields, true),
			'runs/restore': (fields) => this.#setDeleted(fields, false),
			'runs/search': (fields) => this.#searchRuns(fields),
			'runs/log-metric': (fields) => this.#log.logBatch({ ...fields, metrics: [fields] }),
			'runs/log-parameter': (fields) => this.#log.logBatch({ ...fields, params: [fields] }),
			'runs/set-tag': (fields) => this.#log.logBatch({ ...fields, tags: [fields] }),
			'runs/log-batch': (fields) => this.#log.logBatch(fields),
			'runs/log-inputs': (fields) => this.#log.logInputs(fields),
			'runs/log-model': (fields) => this.#log.logModel(fields),
			'runs/delete-tag': (fields) => this.#log.deleteTag(fields),
			'metrics/get-history': (fields) => this.#log.history(fields),
			'metrics/get-history-bulk-interval': (fields) => this.#log.bulkHistory(fields),
			// MLflow 3 asks for these before it reads artifacts of a run. The emulator keeps no logged models.
			'logged-models/search': () => ({}),
			'artifacts/list': (fields) =>
				listArtifacts(this.#artifacts, findRun(this.#runs, fields), {
					path: optionalText(fields, 'path'),
					root: this.#root,
				}),
		};
	}

	// Experiments

	#experiment(id: string): Experiment {
		const found = this.#runs.experiments().find((one) => one.experimentId === id);
		if (found) return found;
		if (id === '0') return this.#runs.experiment(DEFAULT_EXPERIMENT);
		throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `No Experiment with id=${id} exists`);
	}

	#experimentByName(name: string): Fields {
		const found = this.#runs.experiments().find((one) => one.experimentName === name);
		if (found) return { experiment: wireExperiment(found) };
		throw new MlflowError('RESOURCE_DOES_NOT_EXIST', `Could not find experiment with name '${name}'`);
	}

	#createExperiment(fields: Fields): Fields {
		const name = text(fields, 'name');
		if (this.#runs.experiments().some((one) => one.experimentName === name)) {
			throw new MlflowError('RESOURCE_ALREADY_EXISTS', `Experiment '${name}' already exists.`);
		}
		return { experiment_id: this.#runs.experiment(name).experimentId };
	}

	#searchExperiments(fields: Fields): Fields {
		const name = /^\s*(?:attributes?\.)?name\s*=\s*'([^']*)'\s*$/.exec(optionalText(fields, 'filter') ?? '')?.[1];
		if (name === undefined && optionalText(fields, 'filter') !== undefined) {
			throw invalid("The emulator searches experiments by name = '…' only.");
		}
		const all = this.#runs.experiments().filter((one) => name === undefined || one.experimentName === name);
		const found = page(all.reverse(), integer(fields, 'max_results', 1000), optionalText(fields, 'page_token'));
		return paged('experiments', found.items.map(wireExperiment), found.next_page_token);
	}

	// Runs

	#createRun(fields: Fields): Fields {
		const experiment = this.#experiment(optionalText(fields, 'experiment_id') ?? '0');
		const tags = Object.fromEntries(
			objects(fields, 'tags').map((tag) => [text(tag, 'key'), String(tag['value'] ?? '')]),
		);
		const displayName = optionalText(fields, 'run_name') ?? tags['mlflow.runName'];
		const parentRunId = tags['mlflow.parentRunId'];
		const run = this.#runs.create({
			experimentName: experiment.experimentName,
			status: 'Running',
			runType: MLFLOW_RUN_TYPE,
			startedAt: integer(fields, 'start_time', this.#clock()),
			tags,
			...(displayName === undefined ? {} : { displayName }),
			...(parentRunId === undefined ? {} : { parentRunId }),
		});
		return { run: wireRun(run, this.#root) };
	}

	#getRun(fields: Fields): Fields {
		const run = findRun(this.#runs, fields);
		const datasets = this.#log.datasets(run.runId);
		return { run: { ...wireRun(run, this.#root), ...(datasets ? { inputs: { dataset_inputs: datasets } } : {}) } };
	}

	#updateRun(fields: Fields): Fields {
		const { runId, runType } = activeRun(this.#runs, fields);
		const status = optionalText(fields, 'status');
		const name = optionalText(fields, 'run_name');
		const updated = this.#runs.update(runId, (run) => {
			if (name !== undefined) rename(run, name);
			// A script that ends its MLflow run has not ended its job: the job's state is the service's.
			if (status === undefined || runType !== MLFLOW_RUN_TYPE) return;
			run.status = runStatus(status);
			if (isTerminal(run.status)) run.endedAt = integer(fields, 'end_time', this.#clock());
			else delete run.endedAt;
		});
		return { run_info: wireInfo(updated, this.#root) };
	}

	#setDeleted(fields: Fields, deleted: boolean): Fields {
		this.#runs.update(findRun(this.#runs, fields).runId, (run) => {
			run.deleted = deleted;
		});
		return {};
	}

	#searchRuns(fields: Fields): Fields {
		const experiments = new Set(texts(fields, 'experiment_ids').map((id) => this.#experiment(id).experimentId));
		const matches = runFilter(optionalText(fields, 'filter') ?? '');
		const view = optionalText(fields, 'run_view_type') ?? 'ACTIVE_ONLY';
		const found = this.#runs.list().filter((run) => {
			if (experiments.size > 0 && !experiments.has(run.experimentId)) return false;
			return (view === 'ALL' || (view === 'DELETED_ONLY') === (run.deleted === true)) && matches(run);
		});
		const orders = [...texts(fields, 'order_by'), 'attributes.start_time DESC'].map(runOrder);
		found.reverse().sort((a, b) => orders.reduce((order, compare) => order || compare(a, b), 0));
		const runs = page(found, integer(fields, 'max_results', 1000), optionalText(fields, 'page_token'));
		return paged(
			'runs',
			runs.items.map((run) => wireRun(run, this.#root)),
			runs.next_page_token,
		);
	}
}

function allowed(route: string, method: string): boolean {
	if (route === 'experiments/search') return method === 'GET' || method === 'POST';
	return method === (/(^metrics\/|\/get|\/list$)/.test(route) ? 'GET' : 'POST');
}

function fieldsOf(request: MlflowRequest): Fields {
	const fields: Fields = {};
	for (const name of new Set(request.query.keys())) {
		const values = request.query.getAll(name);
		fields[name] = values.length > 1 ? values : values[0];
	}
	if (request.method === 'GET' || request.body.length === 0) return fields;
	try {
		const body: unknown = JSON.parse(request.body.toString('utf8'));
		if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...fields, ...body };
	} catch {
		// Told below, as for a body that is no object.
	}
	throw new MlflowError('BAD_REQUEST', 'The body of the request is not a JSON object.');
}

function json(fields: Fields, status = 200): MlflowAnswer {
	return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify(fields)) };
}
