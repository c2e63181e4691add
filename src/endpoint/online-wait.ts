// Patience with a busy endpoint: waits until neither it nor its deployments change, repeats what was refused for that,
// and tells the log how a long change goes. Knows nothing of bodies.
import type { WaitOptions } from '../azure/arm.ts';
import type { Workspace } from '../azure/workspace.ts';
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import { type Json, textAt } from '../json.ts';
import type { Log } from '../log.ts';

/** The segment of the resource manager's paths that tells the kinds of endpoint apart. */
export type EndpointCollection = 'onlineEndpoints' | 'batchEndpoints';

/** What every call of the endpoint room needs. */
export interface EndpointParts {
	readonly workspace: Workspace;
	/** Which kind of endpoint is meant; online ones where absent. */
	readonly collection?: EndpointCollection | undefined;
	readonly log: Log;
	readonly clock: Clock;
	readonly signal?: AbortSignal | undefined;
	/** Between two looks at a change, in milliseconds; five seconds where absent. */
	readonly interval?: number | undefined;
	/** Leave as soon as the service has taken a change, without waiting for its end: the process has seconds to live. */
	readonly atOnce?: boolean | undefined;
}

const INTERVAL = 5_000;
/**
 * The longest wait for one change, in milliseconds. The service states 30 minutes for its own operations; it should be the
 * service that gives up, because then it says why.
 */
const LONGEST_CHANGE = 2 * 60 * 60_000;
const LONGEST_BUSY = 60 * 60_000;
/** Refusals as busy of an endpoint where nothing changes, before they are believed to mean something else. */
const MOST_CONFLICTS = 4;
const ENDED = new Set(['succeeded', 'failed', 'canceled']);

/** The path of an endpoint below the workspace. */
export function endpointPath(
	{ workspace, collection = 'onlineEndpoints' }: Pick<EndpointParts, 'workspace' | 'collection'>,
	endpoint: string,
): string {
	return `${workspace.id}/${collection}/${encodeURIComponent(endpoint)}`;
}

/** The path of a deployment below its endpoint. */
export function deploymentPath(
	parts: Pick<EndpointParts, 'workspace' | 'collection'>,
	endpoint: string,
	deployment: string,
): string {
	return `${endpointPath(parts, endpoint)}/deployments/${encodeURIComponent(deployment)}`;
}

/** How to wait for a change of ours: patiently, and telling the log of it where `subject` is given. */
export function settling(doing: string, parts: EndpointParts, subject?: string): WaitOptions {
	return {
		doing,
		signal: parts.signal,
		interval: parts.interval ?? INTERVAL,
		timeout: LONGEST_CHANGE,
		...(subject === undefined ? {} : { onState: stateLines(subject, parts) }),
	};
}

/** Whether a resource is being changed: its `provisioningState` is none of the final ones. */
export function isChanging(resource: Json | undefined): boolean {
	const state = textAt(resource, 'properties', 'provisioningState');
	return state !== undefined && !ENDED.has(state.toLowerCase());
}

/**
 * A listener for the states of a change: a line in the log when the state changes, and at most one a minute while it
 * stays.
 */
export function stateLines(
	subject: string,
	{ log, clock }: Pick<EndpointParts, 'log' | 'clock'>,
): (state: string) => void {
	const start = clock.now();
	let last: string | undefined;
	let told = start;
	return (state) => {
		const now = clock.now();
		if (state === last && now - told < 60_000) return;
		const minutes = Math.floor((now - start) / 60_000);
		log.info(`${subject}: ${state}${minutes === 0 ? '' : ` for ${minutes} min`}`);
		last = state;
		told = now;
	};
}

/**
 * Waits until the endpoint itself has no change under way, and gives it as it then is; undefined where there is none (any
 * more).
 * @throws ServiceError when it stays busy for an hour
 */
export async function idleEndpoint(name: string, parts: EndpointParts): Promise<Json | undefined> {
	const { workspace, clock, signal, interval = INTERVAL } = parts;
	const tell = stateLines(`Endpoint ${name} is busy`, parts);
	const deadline = clock.now() + LONGEST_BUSY;
	for (;;) {
		const found = await workspace.arm.find(endpointPath(parts, name), {
			doing: `read the endpoint "${name}"`,
			signal,
		});
		if (!isChanging(found)) return found;
		tell(textAt(found, 'properties', 'provisioningState') ?? '');
		if (clock.now() > deadline) throw stillBusy(name);
		await clock.sleep(interval, signal);
	}
}

/**
 * Does something to an endpoint or one of its deployments, and does it again whenever the service refuses it as a conflict
 * (409) with a change that is under way. `attempt` must look again at whatever it builds upon.
 */
export async function whenIdle<T>(endpoint: string, parts: EndpointParts, attempt: () => Promise<T>): Promise<T> {
	const { clock, signal, log, interval = INTERVAL } = parts;
	const deadline = clock.now() + LONGEST_BUSY;
	for (let conflicts = 1; ; ) {
		try {
			return await attempt();
		} catch (error) {
			if (!(error instanceof ServiceError) || error.status !== 409) throw error;
			const busy = await busyPart(endpoint, parts);
			// A refusal without any change in sight: either it has just ended, or 409 means something else here.
			if (busy === undefined) conflicts += 1;
			if (conflicts > MOST_CONFLICTS || clock.now() > deadline) throw error;
			log.debug(`The service refused a change as a conflict (${busy ?? 'nothing is under way'}); trying again.`);
			await clock.sleep(interval, signal);
		}
	}
}

/** What is being changed: the endpoint or one of its deployments, with its state. */
async function busyPart(endpoint: string, parts: EndpointParts): Promise<string | undefined> {
	const { workspace, signal } = parts;
	const path = endpointPath(parts, endpoint);
	const doing = `read the endpoint "${endpoint}"`;
	const found = await workspace.arm.find(path, { doing, signal });
	if (found === undefined) return undefined;
	if (isChanging(found)) return `endpoint ${endpoint}: ${textAt(found, 'properties', 'provisioningState')}`;
	for await (const item of workspace.arm.list(`${path}/deployments`, { doing, signal })) {
		if (isChanging(item)) {
			return `deployment ${textAt(item, 'name')}: ${textAt(item, 'properties', 'provisioningState')}`;
		}
	}
	return undefined;
}

function stillBusy(name: string): ServiceError {
	return new ServiceError(
		{
			what: `The endpoint "${name}" stayed busy for an hour.`,
			why: 'Azure allows one change of an endpoint at a time, and another one has not ended.',
			next: 'Look at the endpoint in Azure ML studio; run again when its state is Succeeded or Failed.',
		},
		{ status: 409 },
	);
}
