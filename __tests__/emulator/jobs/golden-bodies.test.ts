// Every body that Microsoft's client sends for sweeps and pipelines can be read, as far as the recordings took it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { GraphError, readGraph, sourcesOf } from '../../../emulator/jobs/pipeline/graph.ts';
import { checkSweep, type SearchParts } from '../../../emulator/jobs/sweep/plan.ts';
import type { Json } from '../client.ts';

const SHARED = join(import.meta.dirname, '../../../../shared');

interface Sent {
	name: string;
	status: number;
	properties: Json;
}

function jsonBelow(folder: string): [string, unknown][] {
	const top = join(SHARED, folder);
	return readdirSync(top, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && entry.name.endsWith('.json') && entry.name !== 'index.json')
		.map((entry) => [entry.name, JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as unknown]);
}

/** The bodies of every PUT of a job: those worked out from YAML files, and those of recorded traffic. */
function sentJobs(): Sent[] {
	const golden = jsonBelow('golden/cases').flatMap(([name, one]) => {
		const requests = ((one as Json)['requests'] ?? []) as { path?: string; body?: Json }[];
		return requests.map(({ path = '', body }) => ({ name, path, body, status: 201 }));
	});
	const recorded = jsonBelow('recordings').flatMap(([name, one]) => {
		const exchanges = Array.isArray(one) ? (one as { url: string; status: number; requestBody?: Json }[]) : [];
		return exchanges.map(({ url, status, requestBody }) => ({ name, path: url, body: requestBody, status }));
	});
	return [...golden, ...recorded]
		.filter(({ path }) => /\/jobs\/[^/]+\?/.test(path))
		.flatMap(({ name, status, body }) => {
			const properties = body?.['properties'] as Json | undefined;
			return properties ? [{ name, status, properties }] : [];
		});
}

(existsSync(SHARED) ? describe : describe.skip)('what clients send', () => {
	const sent = existsSync(SHARED) ? sentJobs() : [];

	test('as pipelines has nodes, in an order that can be found', () => {
		const pipelines = sent.filter(({ properties, status }) => properties['jobType'] === 'Pipeline' && status < 300);
		expect(pipelines.length).toBeGreaterThan(50);
		for (const { name, properties } of pipelines) {
			const nodes = readGraph(properties['jobs'] as Json);
			const names = new Set(nodes.map((node) => node.name));
			expect([name, nodes.flatMap(sourcesOf).filter((source) => !names.has(source))]).toEqual([name, []]);
		}
	});

	test('as a pipeline that the service refused for its binding is refused here', () => {
		const refused = sent.filter(
			({ status, properties }) => status === 400 && JSON.stringify(properties).includes('{{parent.name}}'),
		);
		expect(refused.length).toBeGreaterThan(0);
		for (const { properties } of refused) expect(() => readGraph(properties['jobs'] as Json)).toThrow(GraphError);
	});

	test('as sweeps and sweep nodes has a search space of known distributions', () => {
		const ofJobs = sent
			.filter(({ properties }) => properties['jobType'] === 'Sweep')
			.map(({ properties }) => properties);
		const ofNodes = sent
			.flatMap(({ properties }) => Object.values((properties['jobs'] ?? {}) as Json) as Json[])
			.filter((node) => node['type'] === 'sweep');
		expect([ofJobs.length > 10, ofNodes.length > 1]).toEqual([true, true]);
		const sampling = (given: unknown) => (typeof given === 'string' ? { type: given } : (given as Json));
		const parts = (given: Json): SearchParts => ({
			searchSpace: given['searchSpace'] ?? given['search_space'],
			sampling: sampling(given['samplingAlgorithm'] ?? given['sampling_algorithm']),
			objective: given['objective'] as Json,
			limits: (given['limits'] ?? {}) as Json,
			earlyTermination: (given['earlyTermination'] ?? given['early_termination'] ?? {}) as Json,
		});
		for (const given of [...ofJobs, ...ofNodes]) expect(() => checkSweep(parts(given))).not.toThrow();
	});
});
