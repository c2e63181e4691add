// action.yml as the marketplace and editors show it, and the files that GitHub looks for by name.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readActionFile } from '../../scripts/action-file.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): Record<string, unknown> => parse(readFileSync(join(ROOT, path), 'utf8'));

/** The colours of the marketplace. */
const COLOURS = ['white', 'black', 'yellow', 'blue', 'green', 'orange', 'red', 'purple', 'gray-dark'];

describe('action.yml', () => {
	const action = read('action.yml');
	const { inputs, outputs } = readActionFile(join(ROOT, 'action.yml'));

	test('has what the marketplace asks for, within its lengths', () => {
		expect(action).toMatchObject({ name: expect.any(String), author: expect.any(String) });
		expect(String(action['description']).length).toBeLessThan(125);
		expect(action['branding']).toEqual({ icon: 'trending-up', color: expect.any(String) });
		expect(COLOURS).toContain((action['branding'] as { color: string }).color);
	});

	test.each([...inputs, ...outputs].map(({ name, description }) => [name, description]))(
		'says of %s in whole sentences what it is',
		(_, description) => {
			expect(description).toMatch(/^[A-Z`][\s\S]{10,260}(\.|…)$/);
		},
	);

	test('requires no input, so that editors warn of none', () => {
		expect(inputs.filter(({ required }) => required)).toEqual([]);
	});
});

test.each(['LICENSE', 'README.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', 'CHANGELOG.md'])(
	'%s is where GitHub looks for it',
	(file) => {
		expect(existsSync(join(ROOT, file))).toBe(true);
	},
);

test.each(['bug.yml', 'idea.yml'])('the issue form %s has what GitHub needs of one', (file) => {
	const form = read(`.github/ISSUE_TEMPLATE/${file}`) as {
		name: string;
		description: string;
		body: { type: string; id?: string; attributes: { label?: string; value?: string; options?: string[] } }[];
	};
	expect([form.name, form.description].every((text) => text.length > 3)).toBe(true);
	const fields = form.body.filter(({ type }) => type !== 'markdown');
	expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
	for (const { type, attributes } of form.body) {
		expect(['markdown', 'textarea', 'input', 'dropdown', 'checkboxes']).toContain(type);
		expect(attributes.label ?? attributes.value ?? '').not.toBe('');
		if (type === 'dropdown') expect(new Set(attributes.options).size).toBe(attributes.options?.length);
	}
});
