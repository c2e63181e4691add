// Whatever is done to a job file, reading it gives a body or a FileError with places: never another failure, never a wait.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FileError } from '../../../src/errors.ts';
import { jobBody, readJobFile } from '../../../src/job/file/index.ts';
import { loadYaml } from '../../../src/yaml/load.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures/job');
const CASES = readdirSync(FIXTURES).map((name) => path.join(FIXTURES, name));
const VALUES = [
	'',
	'null',
	'[]',
	'{}',
	'-1',
	'yes',
	'[[1]]',
	'{a: {b: 1}}',
	'${' + '{parent.inputs.x}}',
	'2024-01-01',
	'.nan',
	'*x',
	'"\\0"',
	'azureml:',
	'../..',
];

const edit = fc.record({
	folder: fc.constantFrom(...CASES),
	line: fc.nat(60),
	what: fc.oneof(
		fc.constantFrom('drop', 'repeat'),
		fc.record({ value: fc.oneof(fc.constantFrom(...VALUES), fc.string()) }),
	),
});

test('a changed file is read or refused', () => {
	const check = ({ folder, line, what }: { folder: string; line: number; what: string | { value: string } }): void => {
		const lines = readFileSync(path.join(folder, 'job.yml'), 'utf8').split('\n');
		const at = line % lines.length;
		const old = lines[at] ?? '';
		if (what === 'drop') lines.splice(at, 1);
		else if (what === 'repeat') lines.splice(at, 0, old);
		else if (typeof what === 'object') lines[at] = `${old.split(':')[0]}: ${what.value}`;
		try {
			const job = readJobFile(loadYaml(lines.join('\n'), 'job.yml', folder));
			JSON.stringify(jobBody(job, { workspaceId: '/w', idOf: () => 'id', name: 'n', experimentName: 'e' }));
		} catch (error) {
			expect(error).toBeInstanceOf(FileError);
			expect((error as FileError).faults.every((fault) => fault.where?.line !== undefined)).toBe(true);
		}
	};
	fc.assert(fc.property(edit, check), { numRuns: 400 });
});
