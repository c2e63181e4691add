import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { messageFrom, serviceError } from '../../src/azure/service-error.ts';
import { at, type Json, listAt, numberAt, parseJson, textAt } from '../../src/json.ts';
import { processorTime } from '../fixtures/processor-time.ts';

const answer = (status: number, body: Json | string, headers: Record<string, string> = {}) => ({
	status,
	headers,
	body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});

describe('the code and the text of an error body', () => {
	test.each<[string, Json, string | undefined, string]>([
		['plain', { error: { code: 'ResourceNotFound', message: 'Not there.' } }, 'ResourceNotFound', 'Not there.'],
		[
			'inner errors of the control plane',
			{
				error: {
					code: 'UserError',
					message: 'Job x not found.',
					details: [],
					additionalInfo: [
						{ type: 'Environment', info: { value: 'westus' } },
						{ type: 'InnerError', info: { value: { code: 'NotFound', innerError: { code: 'JobNotFound' } } } },
					],
				},
			},
			'JobNotFound',
			'Job x not found.',
		],
		[
			'inner errors of the data plane',
			{
				error: {
					code: 'UserError',
					message: 'Not authorized.',
					innerError: { code: 'Auth', innerError: null },
					additionalInfo: null,
				},
			},
			'Auth',
			'Not authorized.',
		],
		[
			'details, each text once',
			{
				error: {
					code: 'ValidationError',
					message: 'The request is invalid.',
					details: [
						{ code: 'BadCompute', message: 'No such compute.', details: [{ message: 'Its name is x.' }] },
						{ code: 'BadCompute', message: 'No such compute.' },
					],
				},
			},
			'BadCompute',
			'The request is invalid. No such compute. Its name is x.',
		],
		['without an envelope', { code: 'Busy', message: 'Later.' }, 'Busy', 'Later.'],
		["MLflow's", { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'No run.' }, 'RESOURCE_DOES_NOT_EXIST', 'No run.'],
		["Entra's", { error: 'invalid_grant', error_description: 'AADSTS1: no.' }, 'invalid_grant', 'AADSTS1: no.'],
		['without a text', { error: { code: 'Odd' } }, 'Odd', 'The answer (HTTP 400) had no explanation.'],
		['an empty object', {}, undefined, 'The answer (HTTP 400) had no explanation.'],
		['of wrong types', { error: { code: 7, message: [], details: 'x' } }, undefined, '"code":7'],
		['in words of its own', { detail: 'No field `x`.' }, undefined, '{"detail":"No field `x`."}'],
		['a list', [1], undefined, '[1]'],
		['null', null, undefined, 'null'],
	])('%s', (_, body, code, text) => {
		const found = messageFrom(JSON.stringify(body), 400);
		expect(found.code).toBe(code);
		expect(found.text).toContain(text);
		if (text.endsWith('.')) expect(found.text).toBe(text);
	});

	test('HTML of a gateway is told without its tags', () => {
		const html = '<html>\r\n<head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';
		expect(messageFrom(html, 502)).toEqual({ code: undefined, text: '502 Bad Gateway 502 Bad Gateway' });
	});

	test('no body at all is said so', () => {
		expect(messageFrom('', 404).text).toBe('The answer (HTTP 404) had no explanation.');
	});

	test('endless nesting and endless text end', () => {
		let inner: Json = { code: 'deepest' };
		for (let depth = 0; depth < 500; depth += 1) inner = { code: `level`, innerError: inner };
		let details: Json[] = [];
		for (let depth = 0; depth < 500; depth += 1) details = [{ message: `detail ${depth} ${'x'.repeat(20)}`, details }];
		const { code, text } = messageFrom(JSON.stringify({ error: { code: 'a', innerError: inner, details } }), 400);
		expect(code).toBe('level');
		expect(text.length).toBeLessThanOrEqual(3000);
		const long = JSON.stringify({ error: { message: 'x'.repeat(100_000) } });
		expect(messageFrom(long, 400).text).toHaveLength(30_000);
	});

	test('a detail without a text, and an empty text, leave no gap', () => {
		const details = [{ code: 'A' }, { message: '' }, { message: 'That.' }];
		expect(messageFrom(JSON.stringify({ error: { message: 'This.', details } }), 400).text).toBe('This. That.');
		expect(messageFrom(JSON.stringify({ error: { message: '', details } }), 400).text).toBe('That.');
	});
});

describe('the error', () => {
	test('says what failed, why and the id to ask support with', () => {
		const body = { error: { code: 'JobNotFound', message: 'Job x not found.' } };
		const error = serviceError(
			answer(404, body, { 'x-ms-request-id': 'r-1', 'x-ms-correlation-request-id': 'c-1' }),
			'look at the job "x"',
		);
		expect(error).toMatchObject({ status: 404, code: 'JobNotFound' });
		expect(error.message).toBe('Could not look at the job "x": HTTP 404 JobNotFound. Job x not found. (request r-1)');
	});

	test('without an id or a code says nothing of them', () => {
		const { message } = serviceError(answer(404, { error: { message: 'Not there.' } }), 'look');
		expect(message).toBe('Could not look: HTTP 404. Not there.');
	});

	test.each([
		[401, 'x', 'right tenant'],
		[403, 'AuthorizationFailed', 'AzureML Data Scientist'],
		[429, 'x', 'try again later'],
		[500, 'x', 'failure of the service'],
		[404, 'SubscriptionNotFound', '`subscription-id`'],
		[404, 'ResourceGroupNotFound', '`resource-group`'],
	])('for HTTP %d %s gives advice', (status, code, advice) => {
		expect(serviceError(answer(status, { error: { code, message: 'm' } }), 'do it').next).toContain(advice);
	});
});

const RECORDED = join(import.meta.dirname, '..', '..', '..', 'shared', 'recordings', 'errors');

(existsSync(RECORDED) ? describe : describe.skip)('recorded refusals', () => {
	interface Case {
		readonly name: string;
		readonly status: number;
		readonly body: Json | undefined;
	}
	const cases: Case[] = (existsSync(RECORDED) ? readdirSync(RECORDED) : []).flatMap((name) =>
		listAt(parseJson(readFileSync(join(RECORDED, name), 'utf8'))).map((exchange) => ({
			name,
			status: numberAt(exchange, 'status') ?? 0,
			body: at(exchange, 'responseBody'),
		})),
	);

	test('are there', () => {
		expect(cases.length).toBeGreaterThan(20);
	});

	test.each(cases)('$name ($status) has its code and its text', ({ status, body }) => {
		const text = Array.isArray(body) ? body.join('') : body === null ? '' : JSON.stringify(body);
		const found = messageFrom(text, status);
		if (Array.isArray(body)) {
			expect(found.text).toMatch(/Gateway|Time-out/);
		} else if (body === null) {
			expect(found.text).toContain('no explanation');
		} else {
			// The codes that say nothing are never the found one.
			expect(found.code).not.toMatch(/^(UserError|ValidationError|SystemError)$/);
			expect(JSON.stringify(body)).toContain(`"code":"${found.code}"`);
			expect(found.text).toContain((textAt(body, 'error', 'message') ?? '?').slice(0, 3000));
		}
	});
});

test('a hostile body costs no time worth mentioning', () => {
	const read = (): void => {
		for (const piece of ['<', '< ', ' ']) expect(messageFrom(piece.repeat(300_000), 500).text).not.toBe('');
	};
	expect(processorTime(read)).toBeLessThan(3);
});
