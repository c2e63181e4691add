import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answerContains, containsJson } from '../../src/endpoint/smoke-test.ts';
import type { Json } from '../../src/json.ts';

describe('containsJson', () => {
	test.each<[Json, Json]>([
		[{ a: 1, b: 2 }, { a: 1 }],
		[{ a: { b: [1, { c: 'x', d: 0 }] } }, { a: { b: [1, { c: 'x' }] } }],
		[[0.1 + 0.2], [0.3]],
		[1e300, 1e300 * (1 + 1e-12)],
		// More than a number can hold: what JSON.parse makes of 1e999.
		[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
		['setosa', 'setosa'],
		['{"predictions":["setosa"],"ms":3}', { predictions: ['setosa'] }],
		['[1,2]', [1, 2]],
		['5', '5'],
		[null, null],
		[{ a: 1 }, {}],
		[{ a: null }, { a: null }],
	])('finds in %p what is expected: %p', (answer, expected) => {
		expect(containsJson(answer, expected)).toBeUndefined();
	});

	test.each<[Json, Json, string]>([
		[{ predictions: ['virginica'] }, { predictions: ['setosa'] }, 'predictions[0]: expected "setosa", got "virginica"'],
		[{ a: {} }, { a: { b: 1 } }, 'a.b: expected 1, but the answer has no such key'],
		[[1, 2], [1], 'the answer: expected 1 item, got 2 items'],
		[{ a: [[1]] }, { a: [[2]] }, 'a[0][0]: expected 2, got 1'],
		[{ a: [] }, { a: {} }, 'a: expected {}, got []'],
		[{ a: 'x' }, { a: [] }, 'a: expected [], got "x"'],
		[1, 1.001, 'the answer: expected 1.001, got 1'],
		[0, 1e-12, 'the answer: expected 1e-12, got 0'],
		[Number.POSITIVE_INFINITY, 1, 'the answer: expected 1, got null'],
		[true, 1, 'the answer: expected 1, got true'],
		[1, '1', 'the answer: expected "1", got 1'],
		['{"a":1}', { a: 2 }, 'a: expected 2, got 1'],
		['no json', { a: 2 }, 'the answer: expected {"a":2}, got "no json"'],
		[{ 'a b': { '': 1 } }, { 'a b': { '': 2 } }, '["a b"][""]: expected 2, got 1'],
		[{}, { toString: 1 }, 'toString: expected 1, but the answer has no such key'],
		[JSON.parse('{"__proto__":1}') as Json, JSON.parse('{"__proto__":2}') as Json, '__proto__: expected 2, got 1'],
	])('tells how %p differs from %p', (answer, expected, difference) => {
		expect(containsJson(answer, expected)).toBe(difference);
	});

	test('every value contains itself, and a list with one item more does not', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const json = value as Json;
				expect(containsJson(json, json)).toBeUndefined();
				expect(containsJson([json, 1], [json])).toMatch(/expected 1 item, got 2 items/);
			}),
		);
	});

	test('shows long and deep values without harm', () => {
		const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as Json;
		expect(containsJson({ a: deep }, { a: 1 })).toBe('a: expected 1, got a deeply nested value');
		expect(containsJson({ a: 'x'.repeat(5000) }, { a: 1 })?.length).toBeLessThan(300);
	});
});

test('the text of an answer is read as JSON, and taken as it stands where it is none', () => {
	expect(answerContains('{"a":1}', { a: 1 })).toBeUndefined();
	expect(answerContains('"{\\"a\\":1}"', { a: 1 })).toBeUndefined();
	expect(answerContains('setosa', 'setosa')).toBeUndefined();
	expect(answerContains('null', null)).toBeUndefined();
	expect(answerContains('<html>', { a: 1 })).toBe('the answer: expected {"a":1}, got "<html>"');
});
