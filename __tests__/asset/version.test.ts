// Which number the next version of an asset gets, from a workspace that knows more or less of its own numbers.
import { afterEach, expect, test } from '@jest/globals';
import { type AssetVersion, putVersion } from '../../src/asset/version.ts';
import type { Asked, Reply } from '../fixtures/loopback.ts';
import { connected, WORKSPACE_ID } from '../fixtures/workspace.ts';

let close: (() => Promise<void>) | undefined;
afterEach(async () => close?.());

const MODEL = `${WORKSPACE_ID}/models/iris`;

/** Puts the next version where these are there, and the container says this of the next one; a page holds two. */
async function putNext(there: string[], nextVersion: string | null | undefined): Promise<AssetVersion> {
	const answer = ({ method, path }: Asked): Reply => {
		const url = new URL(path, 'http://x');
		const version = /\/versions\/(.+)$/.exec(url.pathname)?.[1];
		if (method === 'PUT') return { status: 201, body: { name: version, properties: {} } };
		if (url.pathname === MODEL) return there.length === 0 ? { status: 404 } : { body: { properties: { nextVersion } } };
		if (version !== undefined) return there.includes(version) ? { body: { name: version } } : { status: 404 };
		expect(url.searchParams.get('listViewType')).toBe('All');
		const from = Number(url.searchParams.get('$skip') ?? 0);
		url.searchParams.set('$skip', String(from + 2));
		const value = there.slice(from, from + 2).map((name) => ({ name }));
		return {
			body: { value, nextLink: from + 2 < there.length ? `${all.server.url}${url.pathname}${url.search}` : null },
		};
	};
	const all = await connected(answer);
	close = all.close;
	const request = { kind: 'models', name: 'iris', version: undefined, body: () => ({}), same: () => false } as const;
	return putVersion(all.workspace, request);
}

const MANY = Array.from({ length: 12 }, (_, place) => String(place + 1));

test.each<[string, string[], string | null | undefined, string]>([
	['the first where there is none', [], undefined, '1'],
	['what the service says', ['1', '2'], '8', '8'],
	['a name of its own that the service says', ['1'], '2026-01-02-03', '2026-01-02-03'],
	['beyond the highest where the service says nothing', ['1', '10', '9'], undefined, '11'],
	['beyond the highest where the service says null', ['1', '2'], null, '3'],
	['beyond the highest where what the service says is taken', MANY, '1', '13'],
	['the first number where all are names', ['blue', '2b'], undefined, '1'],
])('the next version is %s', async (_, there, said, version) => {
	expect(await putNext(there, said)).toMatchObject({ name: 'iris', version, reused: false });
});
