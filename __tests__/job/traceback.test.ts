import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Traceback, TracebackReader } from '../../src/job/traceback.ts';
import { processorTime } from '../fixtures/processor-time.ts';

const WD = '/mnt/azureml/cr/j/0a1b/exe/wd';

function read(...lines: string[]): readonly Traceback[] {
	const reader = new TracebackReader();
	for (const line of lines) reader.see(line);
	return reader.found;
}

const PLAIN = [
	'Traceback (most recent call last):',
	`  File "${WD}/train.py", line 12, in <module>`,
	'    main()',
	`  File "${WD}/lib/data.py", line 3, in load`,
	"    raise ValueError('no rows')",
	'ValueError: no rows',
];
const FRAMES = [
	{ file: `${WD}/train.py`, line: 12, within: '<module>' },
	{ file: `${WD}/lib/data.py`, line: 3, within: 'load' },
];

describe('a traceback', () => {
	test('is read with its calls and its exception', () => {
		expect(read('epoch 1', ...PLAIN, 'bye')).toEqual([{ frames: FRAMES, exception: 'ValueError: no rows' }]);
	});

	test('is read from one text of several lines', () => {
		expect(read(PLAIN.join('\n'))).toHaveLength(1);
	});

	test.each([
		['carets below the code (python 3.11)', [...PLAIN.slice(0, 3), '    ~~~~^^', ...PLAIN.slice(3)]],
		['colours', PLAIN.map((line) => `\u001b[31m${line}\u001b[0m`)],
		['a rank before each line', PLAIN.map((line) => `[rank0]: ${line}`)],
		['another time before each line', PLAIN.map((line, at) => `2026-01-01 10:00:0${at} | ${line}`)],
		['a logger before the first line only', [`ERROR:root:${PLAIN[0]}`, ...PLAIN.slice(1)]],
		[
			'lines that were repeated',
			[...PLAIN.slice(0, 5), '  [Previous line repeated 996 more times]', ...PLAIN.slice(5)],
		],
	])('with %s is read alike', (_, lines) => {
		const [found] = read(...lines);
		expect(found?.frames).toEqual(FRAMES);
		expect(found?.exception).toBe('ValueError: no rows');
	});

	test('of an exception without words, and one of a package', () => {
		expect(read(...PLAIN.slice(0, 5), 'ValueError')[0]?.exception).toBe('ValueError');
		expect(read(...PLAIN.slice(0, 5), 'torch.cuda.OutOfMemoryError: CUDA')[0]?.exception).toBe(
			'torch.cuda.OutOfMemoryError: CUDA',
		);
	});

	test('of a fault of syntax has no header and no function', () => {
		expect(
			read(`  File "${WD}/train.py", line 2`, '    def x(', '         ^', "SyntaxError: '(' was never closed"),
		).toEqual([
			{
				frames: [{ file: `${WD}/train.py`, line: 2, within: undefined }],
				exception: "SyntaxError: '(' was never closed",
			},
		]);
	});

	test('of a group of exceptions is read through its rules', () => {
		const found = read(
			'  + Exception Group Traceback (most recent call last):',
			`  |   File "${WD}/train.py", line 9, in <module>`,
			'  |     run()',
			'  | ExceptionGroup: many (1 sub-exception)',
			'  +-+---------------- 1 ----------------',
		);
		expect(found).toEqual([
			{
				frames: [{ file: `${WD}/train.py`, line: 9, within: '<module>' }],
				exception: 'ExceptionGroup: many (1 sub-exception)',
			},
		]);
	});

	test('that caused another comes before it', () => {
		const second = [...PLAIN.slice(0, 3), 'RuntimeError: gave up'];
		const found = read(
			...PLAIN,
			'',
			'During handling of the above exception, another exception occurred:',
			'',
			...second,
		);
		expect(found.map(({ exception }) => exception)).toEqual(['ValueError: no rows', 'RuntimeError: gave up']);
	});
});

describe('no traceback', () => {
	test.each([
		['a header alone', ['Traceback (most recent call last):', 'something else: x']],
		['calls that end in nothing', [...PLAIN.slice(0, 5), '']],
		['calls that end in prose', [...PLAIN.slice(0, 5), 'and then we went on']],
		['ordinary lines', ['epoch 1', '  indented', 'loss: 0.3']],
	])('is %s', (_, lines) => {
		expect(read(...lines)).toEqual([]);
	});
});

test('whatever a log holds, it is read in bounds', () => {
	const piece = fc.constantFrom(...PLAIN, '', 'x', '  | a', '  + b', '  File "', '\u001b[31m');
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 400 }), (lines) => {
			const found = read(...lines);
			expect(found.length).toBeLessThanOrEqual(20);
			for (const { frames } of found) expect(frames.length).toBeLessThanOrEqual(200);
		}),
	);
	expect(read(...Array.from({ length: 50 }, () => PLAIN).flat())).toHaveLength(20);
});

test('a line of a megabyte costs no time worth mentioning', () => {
	const line = `  File "x.py", line 1, in a${' '.repeat(1_000_000)}b`;
	const time = processorTime(() => read('Traceback (most recent call last):', line, `${PLAIN.at(-1)}`));
	expect(time).toBeLessThan(5);
});
