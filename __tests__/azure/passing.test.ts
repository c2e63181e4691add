import { expect, test } from '@jest/globals';
import { networkCode } from '../../src/azure/passing.ts';

test.each<[string, unknown, string | undefined]>([
	['its own', { code: 'ECONNRESET' }, 'ECONNRESET'],
	["its cause's", new Error('x', { cause: new Error('y', { cause: { code: 'EPIPE' } }) }), 'EPIPE'],
	['its own before that of its cause', { code: 'EPIPE', cause: { code: 'ECONNRESET' } }, 'EPIPE'],
	['that of the first of several', new AggregateError([{ code: 'ETIMEDOUT' }, { code: 'EPIPE' }]), 'ETIMEDOUT'],
	['none, where there are no reasons', new AggregateError([]), undefined],
	["its cause's, where its own is no text", { code: 7, cause: { code: 'EPIPE' } }, 'EPIPE'],
	["its cause's, where reasons are no list", { errors: 'x', cause: { code: 'EPIPE' } }, 'EPIPE'],
	['none', new Error('x'), undefined],
	['none, of nothing', null, undefined],
	['none, of a text', 'ECONNRESET', undefined],
])('an error has the code of the network that is %s', (_, error, code) => {
	expect(networkCode(error)).toBe(code);
});
