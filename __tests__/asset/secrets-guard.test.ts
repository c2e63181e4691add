import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSecretsGuard } from '../../src/asset/secrets-guard.ts';

const TOKEN = 'ghs_0123456789abcdef';

function placeIn(...chunks: string[]): number | undefined {
	const guard = createSecretsGuard([TOKEN, 'a "quoted" one']);
	for (const chunk of chunks) guard.see(Buffer.from(chunk));
	return guard.end();
}

test.each([
	['as it is', `x = '${TOKEN}'`, 5],
	['in JSON', String.raw`["a \"quoted\" one"]`, 2],
	['in a URL', 'https://me:a%20%22quoted%22%20one@host/', 11],
	['in base64', `key: ${Buffer.from(TOKEN).toString('base64')}`, 5],
	[
		"as git keeps a checkout's token",
		`\textraheader = AUTHORIZATION: basic ${Buffer.from(`x-access-token:${TOKEN}`).toString('base64')}`,
		// Behind what is the same in front of every token.
		56,
	],
])('a secret is noticed %s', (_, text, place) => {
	expect(placeIn(text)).toBe(place);
	for (let cut = 1; cut < text.length; cut += 7) expect(placeIn(text.slice(0, cut), text.slice(cut))).toBe(place);
});

test.each([0, 1, 2])('a secret is noticed in the base64 of a text that holds it behind %i bytes', (before) => {
	for (const encoding of ['base64', 'base64url'] as const) {
		const text = Buffer.from(`${'~'.repeat(before)}${TOKEN}~~~`).toString(encoding);
		expect(placeIn('auth: ', text)).toBeGreaterThanOrEqual(6);
	}
});

test('the first one is found, however the bytes arrive', () => {
	const needles = ['ab', 'bcab', 'aaaaaa'];
	fc.assert(
		fc.property(fc.array(fc.stringMatching(/^[abc]{0,9}$/), { maxLength: 9 }), (chunks) => {
			const guard = createSecretsGuard(needles);
			for (const chunk of chunks) guard.see(Buffer.from(chunk));
			const places = needles.map((needle) => chunks.join('').indexOf(needle)).filter((place) => place >= 0);
			const [found, first] = [guard.end(), places.length === 0 ? undefined : Math.min(...places)];
			// Whether there is one is the same; which one is told first may hang on where a chunk ends.
			expect(found === undefined).toBe(first === undefined);
			if (found !== undefined) expect(needles.some((needle) => chunks.join('').startsWith(needle, found))).toBe(true);
		}),
		{ numRuns: 2_000 },
	);
});

test('other text is not, and one file says nothing of the next', () => {
	expect(placeIn('ghs_0123456789abcde', ' f', 'x'.repeat(100))).toBeUndefined();
	const guard = createSecretsGuard([TOKEN]);
	guard.see(Buffer.from(TOKEN.slice(0, 9)));
	expect(guard.end()).toBeUndefined();
	guard.see(Buffer.from(TOKEN.slice(9)));
	expect(guard.end()).toBeUndefined();
});
