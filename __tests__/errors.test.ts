import { expect, test } from '@jest/globals';
import { ActionError } from '../src/errors.ts';

test.each([
	['a sentence', 'It broke.', 'Because.', 'It broke. Because. Try again.'],
	['text of a service without a stop', 'It broke.', 'no token', 'It broke. no token. Try again.'],
	[
		'text that ends with a bracket, and a space',
		'It broke.',
		'no token (request 1) ',
		'It broke. no token (request 1). Try again.',
	],
	['another mark at its end', 'It broke:', 'Why?', 'It broke: Why? Try again.'],
	['nothing', 'It broke.', '', 'It broke. Try again.'],
])('the message of a failure parts its sentences: %s', (_, what, why, message) => {
	expect(new ActionError({ what, why, next: 'Try again.' }).message).toBe(message);
});
