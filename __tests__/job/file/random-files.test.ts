// Random files of every kind: valid ones become bodies that Azure's schema takes, always the same; broken ones are refused
// on the line of the fault. Azure's schema stands beside the project and may be absent.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FileError } from '../../../src/errors.ts';
import { loadYaml } from '../../../src/yaml/load.ts';
import { translateFile } from './golden-case.ts';
import { ImaginedWorkspace } from './imagined-publish.ts';
import { RANDOM } from './random-files.ts';

const SHARED = path.resolve(import.meta.dirname, '../../../../shared');
const API = '2025-09-01';
const here = existsSync(path.join(SHARED, 'tools/validate-body.mjs')) && existsSync(path.join(SHARED, 'spec', API));

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'random-'));
	for (const one of ['src', 'data']) mkdirSync(path.join(folder, one));
	writeFileSync(path.join(folder, 'src/main.py'), '');
	writeFileSync(path.join(folder, 'data/d.csv'), 'a\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

// A member a line, so that a fault has a line of its own.
const written = (file: Record<string, unknown>): string[] =>
	Object.entries(file).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);

function writesOf(kind: string, lines: readonly string[]): ImaginedWorkspace['writes'] {
	const workspace = new ImaginedWorkspace();
	translateFile(kind, loadYaml(lines.join('\n'), 'f.yml', folder), workspace);
	return workspace.writes;
}

interface Spec {
	validateRequest(request: { method: string; path: string; body: unknown }): { ok: boolean; violations: unknown[] };
}

async function loadSpec(): Promise<Spec> {
	const tool = (await import(path.join(SHARED, 'tools/validate-body.mjs'))) as {
		loadSpec(api: string, root: string): Spec;
	};
	return tool.loadSpec(API, path.join(SHARED, 'spec'));
}

describe.each(Object.entries(RANDOM))('%s', (kind, files) => {
	test('is taken, and gives the same bodies each time', () => {
		const same = (file: Record<string, unknown>): void => {
			const lines = written(file);
			const writes = writesOf(kind, lines);
			expect(writes.length).toBeGreaterThan(0);
			expect(writesOf(kind, lines)).toEqual(writes);
		};
		fc.assert(fc.property(files, same), { numRuns: 60 });
	});

	(here ? test : test.skip)('gives bodies that the API describes', async () => {
		const spec = await loadSpec();
		const valid = (file: Record<string, unknown>): void => {
			for (const { method, path: at, body } of writesOf(kind, written(file))) {
				const place = at
					.replace('/workspaces/ws/', '/workspaces/wsp/')
					.replace('<generated-name>', 'job')
					.replace(/\/$/, '');
				const { violations } = spec.validateRequest({ method, path: `${place}?api-version=${API}`, body });
				expect({ at, body, violations }).toEqual({ at, body, violations: [] });
			}
		};
		fc.assert(fc.property(files, valid), { numRuns: 40 });
	});

	test('with a fault is refused on its line', () => {
		const fault = fc.constantFrom('unknown', 'list', 'gone');
		const refused = (file: Record<string, unknown>, what: string, seed: number): void => {
			const lines = written(file);
			const keys = Object.keys(file);
			const at = seed % lines.length;
			let line = at + 1;
			if (what === 'unknown') lines.splice(at, 0, 'zzz_unknown_key: 1');
			else if (what === 'list') lines[at] = `${JSON.stringify(keys[at])}: [[[]]]`;
			else {
				lines.push('"code": "./nowhere"');
				line = lines.length;
				if (!('command' in file) || 'code' in file) return;
			}
			const error = failureOf(() => writesOf(kind, lines));
			expect(error).toBeInstanceOf(FileError);
			const places = (error as FileError).faults.map((one) => one.where?.line);
			expect({ lines, places }).toEqual({ lines, places: expect.arrayContaining([line]) });
		};
		fc.assert(fc.property(files, fault, fc.nat(1000), refused), { numRuns: 60 });
	});
});

function failureOf(work: () => unknown): unknown {
	try {
		work();
		return undefined;
	} catch (error) {
		return error;
	}
}
