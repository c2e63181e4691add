// Azure ML as one follows it, in virtual time and without sockets: jobs with runs below them, each with its own log.
import { createArm } from '../../src/azure/arm.ts';
import { createBearerHttp } from '../../src/azure/bearer.ts';
import type { Http, HttpAnswer, HttpRequest } from '../../src/azure/http.ts';
import { connectWorkspace, type Workspace } from '../../src/azure/workspace.ts';
import type { Clock } from '../../src/clock.ts';
import { type FollowedJob, type FollowParts, followJob } from '../../src/job/follow.ts';
import type { Json } from '../../src/json.ts';
import { type EventClock, eventClock } from '../fixtures/event-clock.ts';
import { LogStorage } from '../fixtures/log-storage.ts';
import { type MemoryLog, memoryLog } from '../fixtures/memory-log.ts';
import { customCloud, TARGET, WORKSPACE_ID } from '../fixtures/workspace.ts';

const REGION = 'https://west.ml.example';

/** A run: the job itself, or one below it. */
export interface ServedRun {
	status: string;
	name?: string;
	parent?: string;
	startedAt?: number;
	endedAt?: number;
	properties?: Record<string, string>;
	error?: string;
	metrics?: { key: string; value: number; step: number }[];
}

/** The service. */
export class RunService implements Http {
	readonly clock: EventClock;
	readonly log: MemoryLog = memoryLog();
	readonly runs = new Map<string, ServedRun>();
	/** Log files, by `run/path`. */
	readonly storage = new LogStorage();
	/** Each request but those to storage, with its time since the start. */
	readonly asked: { readonly at: number; readonly line: string }[] = [];
	/** The job's own type and the rest of its resource. */
	job: { readonly type: string; readonly more?: Json } = { type: 'Pipeline' };
	/** What the compute says; a refusal where undefined. */
	compute: Json | undefined;
	page = 100;
	/** Statuses with which lists are refused before the next good answer. */
	readonly listFaults: number[] = [];
	/** Runs about whose details nothing is told, and the status that is answered. */
	readonly detailFaults = new Map<string, number>();
	readonly stop = new AbortController();
	#lastList: { readonly state: string; readonly answer: HttpAnswer } | undefined;

	constructor(chance = 0.5) {
		this.clock = eventClock({ chance });
	}

	/** Follows the job `job`. */
	async follow(timeout?: number, onAnswer?: FollowParts['onAnswer']): Promise<FollowedJob> {
		const { clock, log } = this;
		const workspace = await this.workspace(clock);
		return followJob('job', { workspace, http: this, log, clock, signal: this.stop.signal, timeout, onAnswer });
	}

	async workspace(clock: Clock): Promise<Workspace> {
		const cloud = customCloud('https://arm.example', ['ml.example']);
		const bearer = createBearerHttp(this, cloud, { token: async () => 'the-token' });
		return connectWorkspace(TARGET, { cloud, http: this, bearer, arm: createArm(bearer, cloud, clock) });
	}

	/** Starts a run below the job at `from` ms, prints a line a second into its log, and ends it at `to`. */
	child(id: string, from: number, to: number, status = 'Completed', more: Partial<ServedRun> = {}): void {
		const run: ServedRun = { status: 'NotStarted', name: id, parent: 'job', ...more };
		this.runs.set(id, run);
		this.clock.at(from, () => {
			run.status = 'Running';
			run.startedAt = this.clock.now();
			this.storage.append(`${id}/user_logs/std_log.txt`, `${id} begins\n`);
		});
		this.clock.at(to, () => {
			this.storage.append(`${id}/user_logs/std_log.txt`, status === 'Failed' ? `${id} breaks` : `${id} ends\n`);
			run.status = status;
			run.endedAt = this.clock.now();
		});
	}

	/** The most requests in any hour. */
	get busiestHour(): number {
		const times = this.asked.map(({ at }) => at);
		let most = 0;
		for (let from = 0, to = 0; from < times.length; from += 1) {
			while (to < times.length && (times[to] ?? 0) < (times[from] ?? 0) + 3_600_000) to += 1;
			most = Math.max(most, to - from);
		}
		return most;
	}

	async send(request: HttpRequest): Promise<HttpAnswer> {
		request.signal?.throwIfAborted();
		const url = new URL(request.url);
		if (url.host === 'acc.blob.core.windows.net') return this.storage.send(request);
		const path = url.pathname;
		if (path === WORKSPACE_ID) return answer(200, { properties: { discoveryUrl: `${REGION}/discovery` } });
		if (path === '/discovery') return answer(200, { api: REGION });
		const below = path.slice(path.indexOf(WORKSPACE_ID) + WORKSPACE_ID.length + 1);
		this.asked.push({ at: this.clock.elapsed, line: below + url.search });
		const [area = '', name = '', action = ''] = below.split('/');
		if (area === 'api') return this.#metrics(url.searchParams.get('run_id') ?? '');
		if (area === 'computes') return this.compute === undefined ? refused(403) : answer(200, this.compute);
		const run = this.runs.get(name);
		if (run === undefined) return refused(404);
		if (area === 'jobs') return answer(200, this.#resource(name, run));
		if (action === 'children') return this.#children(name, url);
		const fault = this.detailFaults.get(name);
		return fault === undefined ? answer(200, this.#details(name, run)) : refused(fault);
	}

	async close(): Promise<void> {}

	#resource(name: string, { status }: ServedRun): Json {
		const services = { Studio: { endpoint: 'https://studio.example/runs/job' } };
		const computeId = `${WORKSPACE_ID}/computes/cpu-cluster`;
		const { type, more = {} } = this.job;
		return { name, properties: { jobType: type, status, services, computeId, ...(more as object) } };
	}

	#details(id: string, { status, error }: ServedRun): Json {
		const mine = [...this.storage.urls()].filter(([path]) => path.startsWith(`${id}/`));
		const logFiles = Object.fromEntries(mine.map(([path, url]) => [path.slice(id.length + 1), url]));
		return { runId: id, status, logFiles, warnings: null, error: errorOf(error) };
	}

	#children(parent: string, url: URL): HttpAnswer {
		const fault = this.listFaults.shift();
		if (fault !== undefined) return refused(fault);
		const all = [...this.runs].filter(([, run]) => run.parent === parent);
		// Thousands of runs in hundreds of lists: nothing is written twice that has not changed.
		const state = `${parent} ${url.search} ${all.map(([, { status }]) => status).join()}`;
		if (this.#lastList?.state === state) return this.#lastList.answer;
		const list = this.#list(all, url);
		this.#lastList = { state, answer: list };
		return list;
	}

	#list(all: readonly (readonly [string, ServedRun])[], url: URL): HttpAnswer {
		const from = Number(url.searchParams.get('$continuationtoken') ?? 0);
		const size = Math.min(this.page, Number(url.searchParams.get('$top') ?? 100));
		const value = all.slice(from, from + size).map(([runId, run]) => ({
			runId,
			displayName: run.name ?? '',
			status: run.status,
			startTimeUtc: timeOf(run.startedAt),
			endTimeUtc: timeOf(run.endedAt),
			properties: run.properties ?? {},
			error: errorOf(run.error),
		}));
		const more = from + size < all.length;
		// The address of the next page is never to be followed as it stands.
		const nextLink = more ? `https://elsewhere.example/x?$continuationtoken=${from + size}&$top=${size}` : null;
		return answer(200, { value, nextLink, continuationToken: more ? String(from + size) : null });
	}

	#metrics(id: string): HttpAnswer {
		const run = this.runs.get(id);
		if (run?.metrics === undefined) return refused(404);
		return answer(200, { run: { data: { metrics: run.metrics } } });
	}
}

function errorOf(message: string | undefined): Json {
	return message === undefined ? null : { error: { code: 'UserError', message } };
}

function timeOf(time: number | undefined): string | null {
	return time === undefined ? null : new Date(time).toISOString();
}

function refused(status: number): HttpAnswer {
	return answer(status, { error: { code: 'Refused', message: 'No.' } });
}

function answer(status: number, body: Json): HttpAnswer {
	return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) };
}
