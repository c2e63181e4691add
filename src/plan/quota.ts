// Whether the region has cores left for what a plan would start, where the service tells. A shortage is said, not refused:
// cores are freed and quotas raised, and what the service does with a request beyond them is its own affair.
// Whether the name of an endpoint is free in its region cannot be asked: the resource manager has no call for that.
import type { Arm } from '../azure/arm.ts';
import { ServiceError } from '../errors.ts';
import { type Json, numberAt, textAt } from '../json.ts';
import type { PlannedRequest } from './plan.ts';

/** Virtual machines that a request would start. */
export interface MachineNeed {
	/** What they are for, as a sentence begins. */
	readonly what: string;
	readonly size: string;
	readonly count: number;
}

/** Dedicated machines that the plan asks for by their size. Computes that exist and default sizes are left out. */
export function machineNeeds(requests: readonly PlannedRequest[]): readonly MachineNeed[] {
	return requests.flatMap((request) => needOf(request) ?? []);
}

function needOf({ method, path, body }: PlannedRequest): MachineNeed | undefined {
	if (method !== 'PUT') return undefined;
	const [, collection, name = ''] = /\/(computes|jobs|deployments)\/([^/?]+)\?/.exec(path) ?? [];
	const number = (...keys: string[]): number => numberAt(body, ...keys) ?? 1;
	if (collection === 'computes') {
		const own = ['properties', 'properties'];
		const cluster = textAt(body, 'properties', 'computeType') === 'AmlCompute';
		if (textAt(body, ...own, 'vmPriority')?.toLowerCase() === 'lowpriority') return undefined;
		const count = cluster ? number(...own, 'scaleSettings', 'maxNodeCount') : 1;
		return need(`The compute ${name} with ${nodes(count)}`, textAt(body, ...own, 'vmSize'), count);
	}
	if (collection === 'deployments') {
		const count = number('sku', 'capacity');
		return need(`The deployment ${name} with ${instances(count)}`, textAt(body, 'properties', 'instanceType'), count);
	}
	// A job on a compute takes what that has.
	if (collection !== 'jobs' || textAt(body, 'properties', 'computeId') !== undefined) return undefined;
	if (textAt(body, 'properties', 'queueSettings', 'jobTier')?.toLowerCase() === 'spot') return undefined;
	const count = number('properties', 'resources', 'instanceCount');
	return need(`The job ${name} on ${instances(count)}`, textAt(body, 'properties', 'resources', 'instanceType'), count);
}

function need(what: string, size: string | undefined, count: number): MachineNeed | undefined {
	return size === undefined || count <= 0 ? undefined : { what, size, count };
}

function nodes(count: number): string {
	return count === 1 ? '1 node' : `${count} nodes`;
}

function instances(count: number): string {
	return count === 1 ? '1 instance' : `${count} instances`;
}

export interface RegionParts {
	readonly arm: Arm;
	readonly subscriptionId: string;
	readonly location: string;
	readonly signal?: AbortSignal | undefined;
}

/** What is short, in a sentence each; nothing where the service does not tell. */
export async function shortages(needs: readonly MachineNeed[], parts: RegionParts): Promise<readonly string[]> {
	if (needs.length === 0) return [];
	const sizes = await ofRegion('vmSizes', parts);
	const usages = await ofRegion('usages', parts);
	return needs.flatMap((one) => shortageOf(one, sizes, usages, parts.location) ?? []);
}

/** Who may use a workspace need not have the right to look at its region: then nothing is said. */
async function ofRegion(
	what: string,
	{ arm, subscriptionId, location, signal }: RegionParts,
): Promise<readonly Json[]> {
	const provider = `/subscriptions/${subscriptionId}/providers/Microsoft.MachineLearningServices`;
	const path = `${provider}/locations/${encodeURIComponent(location)}/${what}`;
	const found: Json[] = [];
	try {
		for await (const item of arm.list(path, { doing: `read the ${what} of ${location}`, signal })) found.push(item);
	} catch (error) {
		if (!(error instanceof ServiceError)) throw error;
		return [];
	}
	return found;
}

function shortageOf(
	{ what, size, count }: MachineNeed,
	sizes: readonly Json[],
	usages: readonly Json[],
	location: string,
): string | undefined {
	const machine = sizes.find((item) => textAt(item, 'name')?.toLowerCase() === size.toLowerCase());
	// The list is of sizes for computes; that it holds all those of deployments is not confirmed.
	if (machine === undefined) return undefined;
	const cores = count * (numberAt(machine, 'vCPUs') ?? 0);
	const family = plain(textAt(machine, 'family') ?? '');
	const usage = usages.find((item) => isOfFamily(item, family));
	const [limit, used] = [numberAt(usage, 'limit'), numberAt(usage, 'currentValue')];
	// -1 is said to mean that there is no limit.
	if (family === '' || limit === undefined || used === undefined || limit < 0 || cores <= limit - used)
		return undefined;
	const left = Math.max(0, limit - used);
	return `${what} of ${size} takes ${cores} cores of ${textAt(machine, 'family')}, of which ${location} has ${left} left (${used} of ${limit} in use). Ask for more quota, or for fewer or other machines.`;
}

/** Names of families come as `standardDSv2Family` and as `Standard DSv2 Family Cluster Dedicated vCPUs`. */
function isOfFamily(usage: Json, family: string): boolean {
	const ofRegion = /\/vmFamily\/usages$/i.test(textAt(usage, 'type') ?? '/vmFamily/usages');
	const name = plain(textAt(usage, 'name', 'value') ?? '');
	return ofRegion && (name === family || name.startsWith(`${family}clusterdedicated`));
}

function plain(name: string): string {
	return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
