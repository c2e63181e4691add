// A python traceback in the training log: an annotation on the line of the repository, and the words of the failure.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobFiles } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { annotationsOf } from './workflow-log.ts';

let site: Site;
let failed: ActionRun;
let handled: ActionRun;

beforeAll(async () => {
	site = await openSite();
	const { 'job.yml': yaml = '' } = jobFiles('');
	const files = {
		'training/src/train.py': 'import sys\nfrom lib.data import load\n\nload(sys.argv[1])\n',
		'training/src/lib/data.py': "import json\n\n\ndef load(path):\n    json.loads('no json')\n",
		'training/job.yml': yaml,
	};
	const broken = "import traceback\ntry:\n    raise KeyError('a')\nexcept KeyError:\n    traceback.print_exc()\n";
	[failed, handled] = await Promise.all([
		site.run({ 'job-file': 'training/job.yml', 'job-name': 'raising' }, { files }),
		site.run({ 'job-file': 'job.yml', 'job-name': 'handling' }, { files: jobFiles(broken) }),
	]);
});

afterAll(() => site?.close());

describe('a job that raises', () => {
	test('is an error at the innermost line of the repository, and there only', () => {
		expect(failed.code).toBe(1);
		const errors = annotationsOf(failed.stdout).filter(({ level }) => level === 'error');
		expect(errors).toEqual([expect.objectContaining({ file: 'training/src/lib/data.py', line: 5 })]);
		expect(errors[0]?.message).toMatch(
			/The job raising ended as Failed\. .*JSONDecodeError: .* \(training\/src\/lib\/data\.py:5, in load\)\./,
		);
	});

	test('tells the same in the summary', () => {
		expect(failed.summary).toContain('JSONDecodeError');
		expect(failed.summary).toContain('training/src/lib/data.py');
	});
});

test('a traceback of an exception that was handled is no error', () => {
	expect(handled.code).toBe(0);
	expect(annotationsOf(handled.stdout).filter(({ level }) => level === 'error')).toEqual([]);
});
