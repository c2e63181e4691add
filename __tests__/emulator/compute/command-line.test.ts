import { describe, expect, test } from '@jest/globals';
import { CommandError, fillCommand } from '../../../emulator/compute/command-line.ts';
import { durationMilliseconds } from '../../../emulator/compute/duration.ts';

const values = { inputs: { data: '/in/data', lr: '0.1' }, outputs: { model: '/out/model' } };

describe('the command of a job', () => {
	test('gets literals as text and data as paths, spaces in the expression or not', () => {
		const command = 'train --data ${{inputs.data}} --lr ${{ inputs.lr }} -o ${{outputs.model}}/m';
		expect(fillCommand(command, values)).toBe('train --data /in/data --lr 0.1 -o /out/model/m');
	});

	test('keeps an optional part whose input is there and drops one whose input is not', () => {
		expect(fillCommand('t $[[--lr ${{inputs.lr}}]] $[[--seed ${{inputs.seed}}]]!', values)).toBe('t --lr 0.1 !');
	});

	test('does not expand what a value itself holds', () => {
		const filled = fillCommand('echo ${{inputs.a}}', { inputs: { a: '${{inputs.b}} $&' }, outputs: {} });
		expect(filled).toBe('echo ${{inputs.b}} $&');
	});

	test.each(['${{inputs.toString}}', '${{outputs.data}}', '${{search_space.lr}}', '${{inputs}}'])(
		'refuses %s',
		(command) => {
			expect(() => fillCommand(command, values)).toThrow(CommandError);
		},
	);

	test('names the inputs that exist when it refuses one', () => {
		expect(() => fillCommand('${{inputs.dat}}', values)).toThrow('It has: data, lr.');
	});
});

describe('a duration', () => {
	test.each([
		['PT1M', 60_000],
		['PT0.5S', 500],
		['P1DT1H', 90_000_000],
	])('%s', (text, milliseconds) => expect(durationMilliseconds(text)).toBe(milliseconds));

	test.each(['', 'P', 'PT', '60', 'PT1X'])('%p is none', (text) => expect(durationMilliseconds(text)).toBeUndefined());
});
