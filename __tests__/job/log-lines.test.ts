// Bytes to lines, by themselves; how bytes get here is log-file.test.ts's.
import { describe, expect, test } from '@jest/globals';
import { LogLines } from '../../src/job/log-lines.ts';
import { linesToText } from './log-scene.ts';

const LONGEST = 64 * 1024;

function reader(): { readonly lines: string[]; readonly log: LogLines; write(text: string): void } {
	const lines: string[] = [];
	const log = new LogLines((text) => lines.push(...text.split('\n')));
	return { lines, log, write: (text) => log.write(Buffer.from(text)) };
}

describe('what is under way', () => {
	test('is an unfinished line, and of a bar its last state', () => {
		const { log, write } = reader();
		const state = (): boolean[] => [log.unfinished, log.progress];
		expect(state()).toEqual([false, false]);
		write('begun');
		expect(state()).toEqual([true, false]);
		write('\n');
		expect(state()).toEqual([false, false]);
		write('10%\r20%');
		expect(state()).toEqual([true, true]);
		write('\r');
		log.flush();
		expect(state()).toEqual([false, false]);
	});

	test('of a bar that ended its state with a carriage return is shown when asked for, once', () => {
		const { lines, log, write } = reader();
		write('10%\r20%\r');
		log.flush();
		log.flush();
		expect(lines).toEqual(['20% [overwritten 1×]']);
		write('\n30%\r');
		log.flush();
		write('\nend\n');
		expect(lines).toEqual(['20% [overwritten 1×]', '30%', 'end']);
	});

	test('of a bar alone is shown without the line that has begun behind it', () => {
		const { lines, log, write } = reader();
		write('10%\r20%\r3');
		log.flushProgress();
		expect(lines).toEqual(['20% [overwritten 1×]']);
		write('0%\n');
		expect(lines).toEqual(['20% [overwritten 1×]', '30%']);
		log.flushProgress();
		expect(lines).toHaveLength(2);
	});

	test('of a bar is a state and no piece of a line, though it was flushed before', () => {
		const { lines, log, write } = reader();
		write('\r10%\r20%');
		log.flush();
		write('\r30%\r40%');
		log.flush();
		write('\r50%\n');
		expect(lines).toEqual(['20% [overwritten 1×]', '40% [overwritten 1×]', '50%']);
	});
});

describe('an empty line', () => {
	test('is shown, but the end of a bar that is shown already is none', () => {
		const { lines, log, write } = reader();
		write('\n\r\na\r\n\n');
		expect(lines).toEqual(['', '', 'a', '']);
		write('99%\r100%');
		log.flush();
		write('\n\nnext\n');
		expect(lines.slice(4)).toEqual(['100% [overwritten 1×]', '', 'next']);
	});
});

describe('a long line', () => {
	test.each([
		['of the greatest length is one', 'x'.repeat(LONGEST), [LONGEST]],
		['of one character more is two', 'x'.repeat(LONGEST + 1), [LONGEST + 2, 1]],
		['is cut before a character that would be halved', `${'x'.repeat(LONGEST - 1)}😀y`, [LONGEST + 1, 3]],
		['is cut behind a character that ends there', `${'x'.repeat(LONGEST - 2)}😀y`, [LONGEST + 2, 1]],
		['is cut before no other character', `${'x'.repeat(LONGEST - 1)}\ue000y`, [LONGEST + 2, 1]],
	])('%s', (_, text, lengths) => {
		const [whole, slices] = [reader(), reader()];
		whole.write(`${text}\n`);
		expect(whole.lines.map((line) => line.length)).toEqual(lengths);
		for (let start = 0; start < text.length; start += 30_000) slices.write(text.slice(start, start + 30_000));
		expect(slices.lines.every((line) => line.length <= LONGEST + 2)).toBe(true);
		slices.write('\n');
		expect(linesToText(slices.lines)).toBe(linesToText(whole.lines));
		expect(linesToText(whole.lines)).toBe(`${text}\n`);
	});

	test('is shown before its end, so that it is not kept in memory', () => {
		const { lines, write } = reader();
		write('x'.repeat(3 * LONGEST));
		expect(lines).toHaveLength(2);
	});
});

describe('what is no UTF-8', () => {
	test('is counted, character by character', () => {
		const { lines, log } = reader();
		log.write(Buffer.from([0x61, 0xff, 0x62, 0x0a]));
		expect(log.invalid).toBe(1);
		log.write(Buffer.from([0xfe, 0x78, 0xfd, 0x0a]));
		expect(log.invalid).toBe(3);
		log.write(Buffer.from('fine 漢\n'));
		expect([log.invalid, lines.length]).toEqual([3, 3]);
	});
});

test.each([
	['ends ⤶', 'ends \\⤶'],
	['ends \\⤶', 'ends \\\\⤶'],
	['ends [overwritten 3×]', 'ends \\[overwritten 3×]'],
	['ends [overwritten 12×]', 'ends \\[overwritten 12×]'],
	['a ⤶ inside', 'a ⤶ inside'],
	['[overwritten 3×] first', '[overwritten 3×] first'],
	['ends [overwritten x×]', 'ends [overwritten x×]'],
	['ends⤶', 'ends⤶'],
])('a line that looks as if it had one of our marks is told from one that has: %s', (line, shown) => {
	const { lines, write } = reader();
	write(`${line}\n`);
	expect(lines).toEqual([shown]);
	expect(linesToText(lines)).toBe(`${line}\n`);
});
