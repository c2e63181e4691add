// Translation as data: each folder of fixtures/job holds a job file and the body it becomes, with the ids of what it
// needs written as <what:name>. A new case is a new folder.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { componentBody } from '../../../src/asset/component-file.ts';
import type { Dependency } from '../../../src/asset/dependency.ts';
import type { Reference } from '../../../src/asset/reference.ts';
import { jobBody, readJobFile } from '../../../src/job/file/index.ts';
import type { JsonObject } from '../../../src/json.ts';
import { openYaml } from '../../../src/yaml/load.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures/job');
const WORKSPACE = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w';

/** An id that says what it stands for. Components show their whole body, because a job is made of them. */
function idOf(dependency: Dependency): string {
	switch (dependency.need) {
		case 'reference':
			return nameOf(dependency.reference);
		case 'environment':
			return `<environment:${dependency.environment.image ?? 'built'}>`;
		case 'model':
			return `<model:${dependency.model.type}>`;
		case 'component':
			return `<component:${dependency.component.name ?? dependency.component.spec({ workspaceId: WORKSPACE, idOf })['display_name'] ?? ''}>`;
		case 'placeholder-code':
			return '<placeholder-code>';
		default:
			return `<${dependency.need}:${dependency.written}>`;
	}
}

function nameOf(reference: Reference): string {
	switch (reference.form) {
		case 'version':
			return `<${reference.kind}:${reference.name}:${reference.version}>`;
		case 'label':
			return `<${reference.kind}:${reference.name}@${reference.label}>`;
		case 'uri':
			return reference.uri;
		default:
			return `<${reference.kind}>`;
	}
}

function componentsOf(dependencies: readonly Dependency[]): Record<string, JsonObject> {
	const found: Record<string, JsonObject> = {};
	for (const dependency of dependencies) {
		if (dependency.need === 'component') {
			Object.assign(found, componentsOf(dependency.component.dependencies));
			found[idOf(dependency)] = componentBody(dependency.component, { workspaceId: WORKSPACE, idOf }, true);
		}
	}
	return found;
}

/** What a fixture becomes. */
function translated(folder: string): unknown {
	const warnings: string[] = [];
	const file = openYaml(path.join(FIXTURES, folder, 'job.yml'), 'job.yml');
	const job = readJobFile(file, (warning) => warnings.push(`${warning.where?.line}: ${warning.message}`));
	const body = jobBody(job, {
		workspaceId: WORKSPACE,
		idOf,
		name: job.name ?? 'generated',
		experimentName: 'experiment',
	});
	const needs = job.dependencies.map(idOf);
	return JSON.parse(JSON.stringify({ body, needs, components: componentsOf(job.dependencies), warnings }));
}

describe('a job file becomes its body', () => {
	test.each(readdirSync(FIXTURES))('%s', (folder) => {
		const expected: unknown = JSON.parse(readFileSync(path.join(FIXTURES, folder, 'body.json'), 'utf8'));
		expect(translated(folder)).toEqual(expected);
	});
});
