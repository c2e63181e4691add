// Cases 26 and 30 to 33 of the fault table, in virtual time: what the service may say of a job or of an operation while
// one waits for it.
import { afterEach, describe, expect, test } from '@jest/globals';
import { knownCloud, mayReceiveToken } from '../../src/azure/cloud.ts';
import { createGitHubLog } from '../../src/log.ts';
import { createSecrets } from '../../src/secrets.ts';
import { closeAll, play } from '../azure/operation-scene.ts';
import type { Reply } from '../fixtures/loopback.ts';
import { JOB, World } from './world.ts';

const MINUTE = 60_000;

afterEach(closeAll);

test('case 26 S-eventual: a job that is not to be seen for half a minute after its submission is waited for', async () => {
	const world = new World();
	const submitted = (): boolean => world.azure.jobs.has(JOB);
	world.azure.befall = (line) =>
		/^GET (jobs|history)\//.test(line) && submitted() && world.clock.elapsed < 30_000
			? { status: 404, body: { error: { code: 'UserError', message: 'not found' } } }
			: undefined;
	world.jobRuns({ hours: 0.1, end: 'Completed' });
	const run = await world.train();
	expect(run.broken({ code: 0 })).toEqual([]);
	expect(run.said).not.toMatch(/missing|not in the workspace/);
});

describe('case 30 P-lro-odd', () => {
	const OPERATION = { 'azure-asyncoperation': 'BASE/operation' };
	const ready: Reply[] = [{ body: { name: 'iris', properties: { provisioningState: 'Succeeded' } } }];
	const done: Reply = { body: { status: 'Succeeded' } };
	const long = `BASE/operation?t=${'MIIH'.repeat(1_000)}`;

	test.each<[string, Reply, Reply[], Reply[]]>([
		['the state Running', { status: 201, headers: OPERATION }, [{ body: { status: 'Running' } }, done], []],
		['no state', { status: 201, headers: OPERATION }, [{ body: {} }, { body: { status: null } }, done], []],
		['nothing (204)', { status: 202, headers: OPERATION }, [{ status: 204 }, done], []],
		['the newer header', { status: 202, headers: { 'operation-location': 'BASE/operation' } }, [done], []],
		['an address of 4 kB', { status: 201, headers: { 'azure-asyncoperation': long } }, [done], []],
		['Location alone', { status: 202, headers: { location: 'BASE/location' } }, [], [{ status: 202 }, { status: 200 }]],
		['no address, and the state of the resource', { status: 201, body: { name: 'iris', properties: {} } }, [], []],
	])('%s: is waited for, and the resource is given', async (_, first, operation, location) => {
		const script = { first, operation, location, resource: ready };
		expect((await play(script)).result).toMatchObject({ name: 'iris' });
	});

	test('a page of HTML in place of an answer is told as what it is, never taken for success', async () => {
		const page: Reply = { headers: { 'content-type': 'text/html' }, body: '<html><b>Gateway</b></html>' };
		const script = { first: { status: 201, headers: OPERATION }, operation: [page], resource: ready };
		await expect(play(script)).rejects.toThrow(/something else than JSON/);
	});

	test('an explicit :443 is the same host', () => {
		const cloud = knownCloud('AzureCloud');
		expect(cloud && mayReceiveToken(cloud, 'https://management.azure.com:443/operations/1')).toBe(true);
	});
});

test('case 31 P-unknown-status: a state that is new is taken for under way and told once', async () => {
	const world = new World();
	world.turn(MINUTE, 'Contemplating');
	world.print(5 * MINUTE, 'still training\n');
	world.turn(20 * MINUTE, 'Completed');
	const run = await world.train();
	expect(run.broken({ code: 0, says: /does not know the state Contemplating/ })).toEqual([]);
	expect(run.said.split('does not know the state').length - 1).toBe(1);
	expect(world.clock.elapsed).toBeGreaterThan(20 * MINUTE);
});

test('case 32 P-paused/NotResponding: states that may pass are shown and waited for', async () => {
	const world = new World();
	world.turn(MINUTE, 'Running');
	world.print(2 * MINUTE, 'before\n');
	world.turn(3 * MINUTE, 'NotResponding');
	world.turn(13 * MINUTE, 'Paused');
	world.turn(23 * MINUTE, 'Running');
	world.print(24 * MINUTE, 'after\n');
	world.turn(25 * MINUTE, 'Completed');
	const run = await world.train();
	expect(run.broken({ code: 0, says: /NotResponding.*Paused.*Completed/s })).toEqual([]);
});

describe('case 33 P-failed-codes', () => {
	test.each(['Failed', 'Canceled'])('%s ends the step red', async (end) => {
		const world = new World();
		world.jobRuns({ hours: 0.1, end });
		const run = await world.train();
		expect(run.broken({ code: 1, says: new RegExp(`ended as ${end}`) })).toEqual([]);
		expect(run.facts.job?.status).toBe(end);
	});

	test('of a huge nested error the cause comes first; the annotation is cut, the log is not', async () => {
		const world = new World();
		world.jobRuns({ hours: 0.1, end: 'Failed' });
		const deep = `The cause: out of memory. ${'detail '.repeat(2_000)}the end`;
		world.clock.at(MINUTE, () => {
			const job = world.azure.jobs.get(JOB);
			const message = deep;
			if (job) job.error = { error: { code: 'UserError', message, innerError: { code: 'OutOfMemory' } } };
		});
		const run = await world.train();
		expect(run.broken({ code: 1, says: /ended as Failed\.\s+The cause: out of memory/ })).toEqual([]);
		const printed: string[] = [];
		const write = process.stdout.write;
		const annotated: string[] = [];
		process.stdout.write = (text) => annotated.push(String(text)) > 0;
		try {
			createGitHubLog(createSecrets(), (text) => printed.push(text)).error(run.said);
		} finally {
			process.stdout.write = write;
		}
		expect(annotated.join('').length).toBeLessThan(4_096 + 200);
		expect(printed.join('')).toContain('the end');
	});
});
