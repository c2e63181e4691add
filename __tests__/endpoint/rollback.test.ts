import { describe, expect, test } from '@jest/globals';
import { whyNot } from '../../src/endpoint/rollback.ts';
import { ServiceError } from '../../src/errors.ts';

describe('why a part was not undone', () => {
	const late = Object.assign(new Error('late'), { name: 'TimeoutError' });

	test('is that the time was over where the workflow was cancelled, which the post step makes good', () => {
		expect(whyNot(late, 'it costs on', { atOnce: true })).toBe(
			'the time of a cancelled run was over, and the post step tries again.',
		);
	});

	test('is the reason itself otherwise, with what it means', () => {
		expect(whyNot(late, 'it costs on', {})).toBe('it costs on. late.');
		const refused = new ServiceError({ what: 'No.', why: 'no right' }, { status: 403 });
		expect(whyNot(refused, 'set it by hand', { atOnce: true })).toBe('set it by hand. no right.');
	});
});
