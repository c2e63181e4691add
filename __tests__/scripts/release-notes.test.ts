import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { releaseNotes } from '../../scripts/release-notes.ts';

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.10.0] - 2026-12-01

### Added

- Ten.

## [1.1.0] - 2026-11-01

- One.

## [1.0.0] - 2026-10-01
`;

describe('releaseNotes', () => {
	test('takes the part of the version and nothing of its neighbours', () => {
		expect(releaseNotes('v1.10.0', CHANGELOG, '1.10.0')).toBe('### Added\n\n- Ten.');
		expect(releaseNotes('v1.1.0', CHANGELOG, '1.1.0')).toBe('- One.');
	});

	test.each([
		['1.1.0', '1.1.0', /not a release tag/],
		['v1.1', '1.1', /not a release tag/],
		['v1.1.0', '1.2.0', /package\.json says 1\.2\.0/],
		['v9.9.9', '9.9.9', /says nothing below/],
		['v1.0.0', '1.0.0', /says nothing below/],
	])('refuses %s of package %s', (tag, version, message) => {
		expect(() => releaseNotes(tag, CHANGELOG, version)).toThrow(message);
	});

	test('the changelog of this repository has a place for what is not released yet', () => {
		expect(readFileSync(join(import.meta.dirname, '..', '..', 'CHANGELOG.md'), 'utf8')).toMatch(/^## \[Unreleased\]$/m);
	});
});
