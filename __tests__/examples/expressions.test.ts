import { expect, test } from '@jest/globals';
import { fill, fillAll, holds } from './expressions.ts';

const CONTEXTS = {
	github: { event_name: 'pull_request', event: { number: 7 } },
	secrets: { ID: 'abc' },
	steps: { a: { outputs: { name: 'n' } } },
};

test('fills what stands in braces, and leaves nothing where there is nothing', () => {
	expect(fill('x-${{ github.event.number }}-${{ secrets.ID }}-${{ secrets.NONE }}', CONTEXTS)).toBe('x-7-abc-');
	expect(fill("${{ github.event_name == 'push' && 'yes' || 'no' }}", CONTEXTS)).toBe('no');
});

test('keeps the type of a value that is one expression', () => {
	const value = { m: '${{ fromJSON(\'["a", "b"]\') }}', t: 'a ${{ steps.a.outputs.name }}', n: 3 };
	expect(fillAll(value, CONTEXTS)).toEqual({ m: ['a', 'b'], t: 'a n', n: 3 });
});

test.each([
	[undefined, false, true],
	[undefined, true, false],
	["github.event_name == 'pull_request'", false, true],
	["github.event_name == 'pull_request'", true, false],
	["${{ github.event_name != 'pull_request' }}", false, false],
	['always()', true, true],
	["failure() && github.event_name == 'pull_request'", true, true],
	['failure()', false, false],
])('if: %s, after a failure: %s, holds: %s', (condition, failed, expected) => {
	expect(holds(condition, CONTEXTS, failed)).toBe(expected);
});
