import { expect, test } from '@jest/globals';
import { InputError } from '../src/errors.ts';
import { readInputs } from '../src/inputs.ts';
import { refuseUnbuilt } from '../src/unbuilt.ts';
import { RUN_ENV } from './fixtures/run-context.ts';

const BASE = {
	'subscription-id': 's',
	'resource-group': 'g',
	workspace: 'w',
	'job-name': 'iris',
	'model-name': 'm',
};

function refused(given: Record<string, string>): string[] {
	const inputs = readInputs({
		input: (name) => ({ ...BASE, ...given })[name] ?? '',
		env: RUN_ENV,
		mask: () => {},
	});
	try {
		refuseUnbuilt(inputs);
		return [];
	} catch (error) {
		if (!(error instanceof InputError)) throw error;
		return error.faults.map(({ message }) => message.split(':')[0] ?? '');
	}
}

test('what is built passes', () => {
	expect(refused({})).toEqual([]);
	expect(refused({ 'cancel-superseded': 'true', reuse: 'true', 'dry-run': 'true', download: 'all' })).toEqual([]);
});

test('what is not is named, all of it at once', () => {
	const asked = {
		'github-environment': 'production',
	};
	expect(refused(asked).sort()).toEqual(Object.keys(asked).sort());
	for (const [name, value] of Object.entries(asked)) expect(refused({ [name]: value })).toEqual([name]);
});
