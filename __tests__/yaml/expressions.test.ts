import { describe, expect, test } from '@jest/globals';
import { hasExpression } from '../../src/asset/reference.ts';
import { Reading } from '../../src/yaml/checks.ts';
import { checkCommand, findExpressions, wholeExpression, withDoubleBraces } from '../../src/yaml/expressions.ts';
import { loadYaml } from '../../src/yaml/load.ts';

function check(
	command: string,
	searchSpace?: readonly string[],
	singleBraces = false,
): { faults: string[]; warnings: string[] } {
	const file = loadYaml(`command: ${JSON.stringify(command)}\n`, 'x.yml', '/');
	const reading = new Reading({ path: 'x.yml', folder: '/' });
	const declared = { inputs: ['lr', 'data', 'opt'], outputs: ['model'], optional: ['opt'], singleBraces };
	checkCommand(
		file.root.entries[0]?.value,
		searchSpace === undefined ? declared : { ...declared, searchSpace },
		reading,
	);
	return {
		faults: reading.faults.map((fault) => fault.message),
		warnings: reading.warnings.map((warning) => warning.message),
	};
}

test('expressions are found with their parts', () => {
	expect(
		findExpressions('a ${{inputs.x}} b ${{ outputs.y.path }}').map(({ path, start }) => ({ path, start })),
	).toEqual([
		{ path: ['inputs', 'x'], start: 2 },
		{ path: ['outputs', 'y', 'path'], start: 18 },
	]);
});

test.each([
	['${{parent.inputs.x}}', ['parent', 'inputs', 'x']],
	[' ${{ parent.inputs.x }} ', ['parent', 'inputs', 'x']],
	['${{parent.inputs.x}}/sub', undefined],
	['plain', undefined],
])('%j as a whole is %j', (text, path) => {
	expect(wholeExpression(text)).toEqual(path);
});

describe('names in a command', () => {
	test.each([
		'train.py --lr ${{inputs.lr}} --data ${{ inputs.data }} --out ${{outputs.model}}',
		'echo $[[--opt ${{inputs.opt}}]]',
		'echo ${HOME} {} {inputs} ${{name}}',
		'awk "{print $1}"',
	])('%s is fine', (command) => {
		expect(check(command)).toEqual({ faults: [], warnings: [] });
	});

	test.each([
		['${{inputs.lrr}}', /\$\{\{inputs\.lrr\}\}.*'lrr' is not declared under 'inputs'.*Did you mean 'lr'/],
		['${{outputs.data}}', /'data' is not declared under 'outputs'.*Declare it/],
		['${{input.lr}}', /no 'input'.*Did you mean 'inputs'/],
		['${{search_space.lr}}', /Only a sweep job/],
		['--opt ${{inputs.opt}}', /optional.*\$\[\[/],
	])('%s is a fault', (command, message) => {
		expect(check(command).faults).toEqual([expect.stringMatching(message)]);
	});

	test('a search space is known to a sweep', () => {
		expect(check('${{search_space.lr}}', ['lr']).faults).toEqual([]);
		expect(check('${{search_space.rl}}', ['lr']).faults).toHaveLength(1);
	});

	test.each(['{inputs.lr}', '${inputs.lr}', '{{inputs.lr}}', '{{ inputs.lr }}'])('%s is a fault', (command) => {
		expect(check(`echo ${command}`)).toEqual({
			faults: [expect.stringContaining('Write ${{inputs.lr}}')],
			warnings: [],
		});
	});

	test('what only looks like an expression and names nothing is warned of', () => {
		expect(check("awk '{inputs.z}'")).toEqual({
			faults: [],
			warnings: [expect.stringContaining('is not an expression')],
		});
	});

	test('single braces are an older way where the CLI takes them', () => {
		expect(check('echo {inputs.lr} {inputs.lrr} ${inputs.lr}', undefined, true)).toEqual({
			faults: [expect.stringContaining("'lrr' is not declared"), expect.stringContaining("'${inputs.lr}' is not")],
			warnings: [expect.stringContaining('older way'), expect.stringContaining('older way')],
		});
		expect(withDoubleBraces('a {inputs.x} ${{inputs.y}} {outputs.z.path} {search_space.s}')).toBe(
			'a ${{inputs.x}} ${{inputs.y}} ${{outputs.z.path}} ${{search_space.s}}',
		);
	});
});

test('a text of beginnings without an end is looked through once', () => {
	expect(findExpressions('${{'.repeat(300_000))).toEqual([]);
	expect(hasExpression('${{'.repeat(300_000))).toBe(false);
	const at = { file: 'job.yml', line: 1, column: 1 };
	const reading = new Reading({ path: 'job.yml', folder: '/' });
	const written = '$[['.repeat(200_000);
	checkCommand(
		{ kind: 'scalar', type: 'str', value: written, text: written, written, at },
		{ inputs: [], outputs: [] },
		reading,
	);
	expect(reading.faults).toEqual([]);
});
