import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/json.ts';
import type { PlannedRequest } from '../../src/plan/plan.ts';
import { planText, writePlan } from '../../src/plan/plan-file.ts';
import { createSecrets } from '../../src/secrets.ts';

const temp = mkdtempSync(join(tmpdir(), 'plan-'));
afterAll(() => rmSync(temp, { recursive: true }));

function put(body: JsonObject, undecided: string[] = []): PlannedRequest {
	return { method: 'PUT', path: '/subscriptions/s?api-version=1', body, undecided };
}
const asIs = (text: string): string => text;

test('is a JSON list of method, path and body, one request on each line', () => {
	const requests = [put({ a: 1, big: 12345678901234567890n, gone: undefined }), put({ b: null }, ['A word.'])];
	const text = planText(requests, asIs);
	expect(text.split('\n')).toHaveLength(5);
	expect(text).toContain('12345678901234567890');
	const [first, second] = JSON.parse(text) as Record<string, unknown>[];
	expect(Object.keys(first ?? {})).toEqual(['method', 'path', 'body']);
	expect(second).toEqual({
		method: 'PUT',
		path: '/subscriptions/s?api-version=1',
		body: { b: null },
		undecided: ['A word.'],
	});
});

test('is an empty list where nothing would be sent', () => {
	expect(JSON.parse(planText([], asIs))).toEqual([]);
});

test('holds no secret: none that is known, and nothing that stands where credentials do', () => {
	const secrets = createSecrets();
	secrets.add('known-secret');
	const body = {
		properties: {
			credentials: { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: 'sv=1&sig=a', other: 'x1' } },
			properties: { adminUserPassword: 'pw', list: ['known-secret', { password: 'p' }] },
			environmentVariables: { TOKEN: 'it is known-secret' },
		},
	};
	const text = planText([put(body)], (one) => secrets.redact(one));
	expect(text).not.toMatch(/known-secret|sig=a|"x1"|"pw"|"p"/);
	expect(JSON.parse(text)).toMatchObject([
		{ body: { properties: { credentials: { secrets: { secretsType: 'Sas', sasToken: '***' } } } } },
	]);
});

test('is written to a folder of its own, also where there is no temporary folder yet', () => {
	const below = join(temp, 'not', 'there');
	const [one, other] = [writePlan([], below, asIs), writePlan([], below, asIs)];
	expect(one).not.toBe(other);
	expect([existsSync(other), readFileSync(one, 'utf8')]).toEqual([true, '[]\n']);
});
