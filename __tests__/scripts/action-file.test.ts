import { describe, expect, test } from '@jest/globals';
import { parseActionFile } from '../../scripts/action-file.ts';
import { withTables } from '../../scripts/readme.ts';

const ACTION = `
inputs:
  # Sign-in
  client-id:
    description: The client.
  cloud:
    description: >
      One | other,
      on two lines.
    required: true
    default: AzureCloud

  # Train
  wait:
    description: Whether to wait.
    default: false
outputs:
  job-name:
    description: The job.
runs:
  using: node24
  main: dist/index.js
`;

const PAGE = 'before\n<!-- inputs:start -->old<!-- inputs:end -->\n<!-- outputs:start --><!-- outputs:end -->\nafter\n';

describe('parseActionFile', () => {
	test('reads inputs with section, default and necessity, outputs, and what runs', () => {
		expect(parseActionFile(ACTION)).toEqual({
			inputs: [
				{ name: 'client-id', section: 'Sign-in', description: 'The client.', default: undefined, required: false },
				{
					name: 'cloud',
					section: 'Sign-in',
					description: 'One | other, on two lines.\n',
					default: 'AzureCloud',
					required: true,
				},
				{ name: 'wait', section: 'Train', description: 'Whether to wait.', default: 'false', required: false },
			],
			outputs: [{ name: 'job-name', description: 'The job.' }],
			runs: { using: 'node24', main: 'dist/index.js' },
		});
	});

	test('says what is wrong with a file that is none', () => {
		expect(() => parseActionFile('inputs: a: b')).toThrow(/not valid YAML/);
		expect(() => parseActionFile('inputs: {}\nruns: {}')).toThrow(/no map "outputs"/);
	});
});

describe('withTables', () => {
	const action = parseActionFile(ACTION);

	test('writes a table by section, with pipes and line ends made harmless', () => {
		const page = withTables(PAGE, action);
		expect(page).toContain('### Sign-in\n\n| input | default | meaning |');
		expect(page).toContain('| `client-id` |  | The client. |');
		expect(page).toContain('| `cloud` | `AzureCloud` | One \\| other, on two lines. |');
		expect(page).toContain('### Train');
		expect(page).toContain('| `job-name` | The job. |');
	});

	test('leaves the rest alone, and changes nothing the second time', () => {
		const page = withTables(PAGE, action);
		expect(page.startsWith('before\n<!-- inputs:start -->')).toBe(true);
		expect(page.endsWith('<!-- outputs:end -->\nafter\n')).toBe(true);
		expect(page).not.toContain('old');
		expect(withTables(page, action)).toBe(page);
	});

	test('asks for missing markers', () => {
		expect(() => withTables('nothing', action)).toThrow(/<!-- inputs:start -->/);
	});
});
