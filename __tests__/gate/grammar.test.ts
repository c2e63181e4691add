import { describe, expect, test } from '@jest/globals';
import { parseGate } from '../../src/gate/grammar.ts';
import { processorTime } from '../fixtures/processor-time.ts';

function gate(line: string): unknown {
	const read = parseGate(line);
	if ('fault' in read) throw new Error(read.fault);
	const { written, ...parts } = read.gate;
	expect(written).toBe(line);
	return parts;
}

const number = (value: number) => ({ kind: 'number', value });
const champion = (tolerance = 0) => ({ kind: 'champion', tolerance });

describe('a gate is', () => {
	test.each<[string, string, string, object]>([
		['accuracy >= 0.9', 'accuracy', '>=', number(0.9)],
		['rmse < 3.2', 'rmse', '<', number(3.2)],
		['rmse<=3.', 'rmse', '<=', number(3)],
		['r2>-.5', 'r2', '>', number(-0.5)],
		['a == +1e-3', 'a', '==', number(0.001)],
		['a != 0', 'a', '!=', number(0)],
		['auc >= champion', 'auc', '>=', champion()],
		['auc >= champion - 0.005', 'auc', '>=', champion(-0.005)],
		['rmse <= champion+1e-2', 'rmse', '<=', champion(0.01)],
		['train/accuracy >= 0.9', 'train/accuracy', '>=', number(0.9)],
		['"f1 score" >= 0.9', 'f1 score', '>=', number(0.9)],
		["'p < 0.05' == 1", 'p < 0.05', '==', number(1)],
		['"train model"/accuracy >= 0.9', 'train model/accuracy', '>=', number(0.9)],
		['train/"f1 score">0', 'train/f1 score', '>', number(0)],
		['a-b.c:d > 1', 'a-b.c:d', '>', number(1)],
		['précision > 1', 'précision', '>', number(1)],
	])('%s', (line, metric, comparison, threshold) => {
		expect(gate(line)).toEqual({ metric, comparison, threshold });
	});
});

describe('no gate, and told what is wrong, is', () => {
	test.each<[string, RegExp]>([
		['accuracy', /is not a gate; expected e\.g\./],
		['0.9', /is not a gate/],
		['>= 0.9', /is not a gate/],
		['accuracy >=', /says nothing to compare with/],
		['accuracy = 0.9', /write `==`/],
		['accuracy => 0.9', /write `>=`/],
		['accuracy =< 0.9', /write `<=`/],
		['accuracy ≥ 0.9', /write `>=`/],
		['accuracy <> 0.9', /write `!=`/],
		['accuracy >== 0.9', /write one of >= > <= < == !=/],
		['accuracy >= 90%', /percentage/],
		['accuracy >= ninety', /"ninety", which is neither a number nor `champion`/],
		['accuracy >= 0.9 && auc >= 0.9', /neither a number nor/],
		['accuracy >= 1e999', /neither a number nor/],
		['accuracy >= NaN', /neither a number nor/],
		['auc >= champion * 0.98', /in a way that is not known; write `champion`, `champion - 0\.005`/],
		['auc >= champion - 1%', /in a way that is not known/],
		['auc >= champions', /"champions"/],
		['f1 score >= 0.9', /put it into quotes: `"f1 score"`/],
		['"" > 1', /names no metric/],
		['"accuracy > 1', /is not a gate/],
	])('%s', (line, message) => {
		const read = parseGate(line);
		expect('fault' in read && read.fault).toMatch(message);
		expect('fault' in read && read.fault).toContain(`"${line}"`);
	});

	test('a long line, which is told as fast as a short one', () => {
		const read = (): void => {
			for (const piece of ['a', 'a ', '"a"', "'", 'a/', ' \t', '=', '1']) parseGate(piece.repeat(20_000));
		};
		expect(processorTime(read)).toBeLessThan(3);
	});
});
