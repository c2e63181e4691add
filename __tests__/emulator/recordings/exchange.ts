// One recorded exchange, and how an answer of the emulator differs from the one in it.

import type { Reply } from '../client.ts';
import { differencesOf } from './shape.ts';

/** A request and its answer, as recordings hold them. */
export interface Exchange {
	method: string;
	url: string;
	requestHeaders: Record<string, string>;
	requestBody: unknown;
	status: number;
	responseHeaders: Record<string, string>;
	responseBody: unknown;
}

/** What was sent again: its route with names left out and the recorded status, and how the answer differs. */
export interface Sent {
	route: string;
	differences: string[];
}

/** Headers by which clients find an operation, and whether they were there. */
const ACTED_ON = ['location', 'azure-asyncoperation'];

/** Tells how an answer of JSON differs from the recorded one. */
export function differences({ status, responseHeaders, responseBody }: Exchange, reply: Reply): string[] {
	const found: string[] = [];
	if (status !== reply.status) return [`status ${reply.status}: ${reason(reply)}`];
	const names = new Set(Object.keys(responseHeaders ?? {}).map((name) => name.toLowerCase()));
	for (const name of ACTED_ON) {
		if (names.has(name) && !reply.headers.has(name)) found.push(`header ${name}: missing`);
		if (!names.has(name) && reply.headers.has(name)) found.push(`header ${name}: not recorded`);
	}
	const recorded = responseBody === '' ? null : responseBody;
	return [...found, ...differencesOf(recorded ?? null, reply.text === '' ? null : reply.body)];
}

/** The words of an error, without the names in it. */
function reason({ body }: Reply): string {
	const { error } = (body ?? {}) as { error?: { message?: unknown } };
	return String(error?.message ?? 'no error').replace(/[\w-]*\d{4,}[\w-]*/g, '*');
}
