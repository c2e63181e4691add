import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Traceback } from '../../src/job/traceback.ts';
import { faultOf, type UploadedCode, uploadedCode } from '../../src/job/traceback-place.ts';

const WD = '/mnt/azureml/cr/j/0a1b/exe/wd';

let checkout: string;
let outside: string;
let code: readonly UploadedCode[];

beforeAll(() => {
	checkout = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')));
	outside = realpathSync(mkdtempSync(join(tmpdir(), 'outside-')));
	for (const path of ['jobs/src/train.py', 'jobs/src/wd/deep.py', 'shared/lib/data.py', 'shared/one.py']) {
		mkdirSync(join(checkout, dirname(path)), { recursive: true });
		writeFileSync(join(checkout, path), '');
	}
	writeFileSync(join(outside, 'secret.py'), '');
	symlinkSync(join(outside, 'secret.py'), join(checkout, 'jobs/src/linked.py'));
	const includes = [join(checkout, 'shared/lib'), join(checkout, 'shared/one.py')];
	code = [{ path: join(checkout, 'jobs/src'), includes }];
});
afterAll(() => {
	for (const folder of [checkout, outside]) rmSync(folder, { recursive: true });
});

const traceback = (...files: string[]): Traceback => ({
	frames: files.map((file, at) => ({ file, line: at + 1, within: `f${at}` })),
	exception: 'ValueError: x',
});
const placeOf = (...files: string[]) => faultOf([traceback(...files)], code, checkout)?.where;

describe('a call stands at its line in the checkout', () => {
	test.each([
		[`${WD}/train.py`, 'jobs/src/train.py'],
		['train.py', 'jobs/src/train.py'],
		['./train.py', 'jobs/src/train.py'],
		[`${WD}/wd/deep.py`, 'jobs/src/wd/deep.py'],
		[`${WD}/lib/data.py`, 'shared/lib/data.py'],
		[`${WD}/one.py`, 'shared/one.py'],
		['/mnt/spark/container_1/train.py', 'jobs/src/train.py'],
	])('%s', (file, expected) => {
		expect(placeOf(file)).toEqual({ file: expected, line: 1 });
	});

	test('the innermost of those in the code counts', () => {
		const library = '/opt/conda/lib/python3.10/site-packages/torch/nn/train.py';
		const fault = faultOf([traceback(`${WD}/train.py`, `${WD}/lib/data.py`, library)], code, checkout);
		expect(fault).toEqual({
			exception: 'ValueError: x',
			where: { file: 'shared/lib/data.py', line: 2 },
			within: 'f1',
		});
	});

	test('a single file that was uploaded is known by its name', () => {
		const one = [{ path: join(checkout, 'shared/one.py'), includes: [] }];
		expect(faultOf([traceback(`${WD}/one.py`)], one, checkout)?.where?.file).toBe('shared/one.py');
	});
});

describe('a call has no place', () => {
	test.each([
		'/opt/conda/lib/python3.10/site-packages/train.py',
		'/usr/lib/python3/train.py',
		`${WD}/missing.py`,
		`${WD}/../../../train.py`,
		'../src/train.py',
		`${WD}/linked.py`,
		'<string>',
		'<frozen importlib._bootstrap>',
		`${WD}/lib`,
	])('%s', (file) => {
		expect(placeOf(file)).toBeUndefined();
	});
});

describe('of several tracebacks', () => {
	test('the last one that leads to the code counts', () => {
		const named = (exception: string, file: string): Traceback => ({ ...traceback(file), exception });
		const found = [named('A: 1', `${WD}/train.py`), named('B: 2', `${WD}/one.py`), named('C: 3', '/usr/bin/x')];
		expect(faultOf(found, code, checkout)).toMatchObject({ exception: 'B: 2', where: { file: 'shared/one.py' } });
		expect(faultOf(found.slice(2), code, checkout)).toEqual({ exception: 'C: 3', where: undefined, within: undefined });
		expect(faultOf([], code, checkout)).toBeUndefined();
	});
});

test('the code of a job is all that it uploads as code', () => {
	const at = { file: 'job.yml' };
	expect(
		uploadedCode([
			{ need: 'placeholder-code' },
			{ need: 'code', path: '/a', written: 'a', at },
			{ need: 'code', path: '', written: '', at, includes: ['/b'] },
		]),
	).toEqual([
		{ path: '/a', includes: [] },
		{ path: '', includes: ['/b'] },
	]);
});
