// One request to the data plane after sign-in and routing, and the forms of its answers.

import { dataPlaneError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { PathNames } from '../router.ts';
import type { Run } from '../runs.ts';
import type { Answer } from '../server.ts';

/** A request to the data plane after sign-in and routing. */
export interface HistoryCall {
	platform: Platform;
	names: PathNames;
	query: URLSearchParams;
	body: Record<string, unknown>;
	/** The request's own URL, for `nextLink`. */
	url: string;
}

/** Answers one route of the data plane. */
export type HistoryHandler = (call: HistoryCall) => Answer | Promise<Answer>;

/** The workspace that every route of the data plane begins with. */
export const SCOPE =
	'/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}';

/** Gives the run of a call; 404 when there is none. */
export function runOf(call: HistoryCall): Run {
	const runId = call.names['run'] ?? '';
	const run = call.platform.state.runs.get(runId);
	if (run) return run;
	throw dataPlaneError(404, `Run ${runId} was not found.`, ['NotFound', 'RunNotFound']);
}

/** Answers 200 with JSON. */
export function ok(json: unknown): Answer {
	return { status: 200, headers: { 'x-ms-response-type': 'standard' }, json };
}

/** Answers one page of a list, with the data plane's `continuationToken` and `nextLink`. */
export function listPage(call: HistoryCall, items: unknown[], size: number): Answer {
	const token =
		call.query.get('continuationToken') ?? call.query.get('$continuationToken') ?? call.body['continuationToken'];
	const from = Number(token ?? 0) || 0;
	const value = items.slice(from, from + size);
	if (from + size >= items.length) return ok({ value, continuationToken: null, nextLink: null });
	const next = new URL(call.url);
	next.searchParams.set('continuationToken', String(from + size));
	return ok({ value, continuationToken: String(from + size), nextLink: next.toString() });
}
