// A long-running operation whose every answer is said beforehand: the real calls of the resource manager on loopback.
import type { Json } from '../../src/json.ts';
import type { Reply } from '../fixtures/loopback.ts';
import { type Layers, layers, WORKSPACE_ID } from '../fixtures/workspace.ts';

/** The resource that is put. */
export const PATH = `${WORKSPACE_ID}/onlineEndpoints/iris`;
const call = { doing: 'create the endpoint "iris"' };

/** What the service answers. */
export interface Script {
	/** The first answer; `BASE` in a header is the server's address. */
	readonly first: Reply;
	/** Answers of `/operation`, of `/location` and of the resource, one after the other; the last one holds on. */
	readonly operation?: Reply[];
	readonly location?: Reply[];
	readonly resource?: Reply[];
}

/** What came of it. */
export interface Played {
	readonly result: Json | undefined;
	readonly states: string[];
	/** What was asked after the first request. */
	readonly looks: string[];
	readonly slept: number[];
}

/** The layers of each play of a test, in order. */
export const open: Layers[] = [];

/** Ends all servers. */
export async function closeAll(): Promise<void> {
	await Promise.all(open.splice(0).map((one) => one.close()));
}

/** Puts an endpoint and waits until it is there. */
export async function play(script: Script, options: { timeout?: number; signal?: AbortSignal } = {}): Promise<Played> {
	const turns = new Map<string, number>();
	const one: Layers = await layers(({ method, path }) => {
		if (method === 'PUT') return based(script.first, one.server.url);
		const [kind, replies] = path.startsWith('/operation')
			? ['operation', script.operation]
			: path.startsWith('/location')
				? ['location', script.location]
				: ['resource', script.resource];
		const turn = turns.get(kind as string) ?? 0;
		turns.set(kind as string, turn + 1);
		const list = (replies as Reply[] | undefined) ?? [{ status: 500 }];
		return based(list[Math.min(turn, list.length - 1)] ?? {}, one.server.url);
	});
	open.push(one);
	const states: string[] = [];
	const answer = await one.arm.put(PATH, {}, call);
	const result = await one.arm.settle(PATH, answer, { ...call, ...options, onState: (state) => states.push(state) });
	const looks = one.server.asked.slice(1).map(({ path }) => path.split('?')[0]?.replace(PATH, 'resource') ?? '');
	return { result, states, looks, slept: one.clock.slept };
}

function based(reply: Reply, base: string): Reply {
	const headers = Object.entries(reply.headers ?? {}).map(([name, value]) => [name, value.replace('BASE', base)]);
	return { ...reply, headers: Object.fromEntries(headers) };
}
