// Reuse: a step whose content is that of an earlier, completed one takes its outputs instead of running again.

import { createHash } from 'node:crypto';
import { isObject, textOf } from '../../arm/call.ts';
import type { References } from '../../arm/references.ts';
import type { Run, RunStore } from '../../runs.ts';
import type { Component } from './component.ts';

/** What a step does, apart from the run that does it. */
export interface StepContent {
	component: Component;
	inputs: unknown;
	/** Outputs whose place does not depend on the run. */
	outputs: unknown;
	environmentVariables: unknown;
	/** What a node says of how it runs: task, search space, limits of a sweep, …. */
	settings: unknown;
}

/**
 * Sums up what a step does. Two steps with the same sum give the same outputs, as far as their component is
 * deterministic. Data counts by its address, as a datastore may change under it; code counts by its content.
 */
export function contentHash(references: References, content: StepContent): string {
	const { component, ...rest } = content;
	const { name: _n, version: _v, display_name: _d, description: _t, ...spec } = component.spec;
	const text = JSON.stringify(sorted({ spec: withCode(references, spec), ...rest }));
	return createHash('sha256').update(text).digest('hex');
}

/** Finds the newest completed step with this content which was not itself a reused one. */
export function earlierRun(runs: RunStore, hash: string): Run | undefined {
	return runs
		.list()
		.findLast(
			(run) =>
				run.contentHash === hash && run.status === 'Completed' && run.properties['azureml.isreused'] === undefined,
		);
}

/** Puts the content hash of a code version in the place of its id: the same content may have been put twice. */
function withCode(references: References, value: unknown): unknown {
	if (isObject(value)) {
		return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withCode(references, inner)]));
	}
	const id = textOf(value);
	if (id === undefined || !/\/codes\//.test(id)) return value;
	const properties = references.asset(id)?.properties['properties'];
	return (isObject(properties) && properties['hash_sha256']) || id;
}

function sorted(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(sorted);
	if (!isObject(value)) return value;
	const names = Object.keys(value).sort();
	return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
}
