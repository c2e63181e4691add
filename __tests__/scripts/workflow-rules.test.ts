import { describe, expect, test } from '@jest/globals';
import { unknownInputs, unpinnedUses } from '../../scripts/workflow-rules.ts';

const ID = '0123456789abcdef0123456789abcdef01234567';

describe('unpinnedUses', () => {
	test.each([
		`      - uses: actions/checkout@${ID} # v4.2.1`,
		`    uses: owner/name/sub/folder@${ID} # v1.0.0`,
		'      - uses: ./',
		'    uses: ./.github/workflows/test.yml',
	])('takes %s', (line) => {
		expect(unpinnedUses('w.yml', line)).toEqual([]);
	});

	test.each([
		'      - uses: actions/checkout@v4',
		'      - uses: actions/checkout@main # v4.2.1',
		`      - uses: actions/checkout@${ID}`,
		`      - uses: actions/checkout@${ID} # v4`,
		`      - uses: actions/checkout@${ID.slice(1)} # v4.2.1`,
		'      - uses: docker://alpine:3',
	])('refuses %s', (line) => {
		expect(unpinnedUses('w.yml', `jobs:\n${line}\n`)).toMatchObject([{ file: 'w.yml', line: 2 }]);
	});
});

describe('unknownInputs', () => {
	const names = new Set(['job-file', 'wait']);
	const step = (uses: string): string => `steps:\n  - uses: ${uses}\n    with:\n      job-file: a\n      jobfile: b\n`;

	test.each(['./', 'someone/azure-ml-action@v1', `someone/azure-ml-action@${ID} # v1.0.0`])(
		'finds a misspelt input of %s, at its line',
		(uses) => {
			expect(unknownInputs('w.yml', step(uses), names)).toEqual([
				{ file: 'w.yml', line: 5, message: 'action.yml has no input "jobfile".' },
			]);
		},
	);

	test.each(['actions/checkout@v4', './other', 'someone/azure-ml-action-x@v1'])('leaves %s alone', (uses) => {
		expect(unknownInputs('w.yml', step(uses), names)).toEqual([]);
	});
});
