// `npm run test:clients`: tries the emulator with clients that others wrote, unmodified. Prints a table of client, operation
// and result, and ends with their numbers; with an exit code that is not zero when anything failed. What it needs it
// installs into .clients/, which is kept.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { actionOnLightgbm } from '../__tests__/clients/action.ts';
import type { Outcome } from '../__tests__/clients/session.ts';
import { storageClient } from '../__tests__/clients/storage.ts';
import { killAll } from '../__tests__/e2e/runner.ts';
import { type Emulator, startEmulator } from '../emulator/emulator.ts';
import { type ClientPython, debianClients, newestClients } from './client-environments.ts';

const ROOT = join(import.meta.dirname, '..');
const PROGRAMS = join(ROOT, '__tests__/clients');
/** Longest time for one program, in milliseconds. */
const LIMIT = 8 * 60_000;
/** How many programs run at a time: they wait for much of their time. */
const AT_ONCE = 3;

/** A part of what is tried; gives how its operations went. */
interface Part {
	name: string;
	run: () => Promise<Outcome[]>;
}

const { positionals } = parseArgs({ allowPositionals: true });
process.exitCode = await main(positionals);

/** Runs the parts whose names are given, or all. */
async function main(only: string[]): Promise<number> {
	const started = Date.now();
	print('Clients are installed into .clients/ where they are not there yet …');
	const newest = newestClients();
	const debian = debianClients();
	const parts = partsOf(newest, debian).filter(({ name }) => only.length === 0 || only.includes(name));
	const outcomes = await runAll(parts);
	killAll();
	printTable(outcomes);
	const failed = outcomes.filter(({ fault }) => fault !== undefined).length;
	const skipped = outcomes.filter(({ skipped: reason }) => reason !== undefined).length;
	if (skipped > 0) print(`${skipped} not tried: see above.`);
	print(`Took ${Math.round((Date.now() - started) / 1000)} s.`);
	print(`${outcomes.length - failed - skipped} passed, ${failed} failed`);
	return failed === 0 && outcomes.length > 0 ? 0 : 1;
}

function partsOf(newest: ClientPython, debian: ClientPython | string): Part[] {
	const { python } = newest;
	const by = (client: ClientPython, file: string) => () =>
		withEmulator({ python, tls: true }, (emulator) => runPython(client, file, emulator));
	const ofDebian = (file: string) =>
		typeof debian === 'string' ? async () => [skip(`azure-ai-ml 1.4.0, ${file}`, debian)] : by(debian, file);
	return [
		{ name: 'azure-ai-ml', run: by(newest, 'azure_ai_ml.py') },
		{ name: 'azure-ai-ml-debian', run: ofDebian('azure_ai_ml.py') },
		{ name: 'jobs', run: by(newest, 'azure_ai_ml_jobs.py') },
		{ name: 'jobs-debian', run: ofDebian('azure_ai_ml_jobs.py') },
		{ name: 'serving', run: by(newest, 'azure_ai_ml_serving.py') },
		{ name: 'serving-debian', run: ofDebian('azure_ai_ml_serving.py') },
		{ name: 'mlflow', run: by(newest, 'mlflow_sklearn.py') },
		{ name: 'lightgbm', run: by(newest, 'lightgbm_iris.py') },
		{ name: 'action', run: () => withEmulator({ python, tls: true }, actionOnLightgbm) },
		{ name: 'storage', run: () => withEmulator({ python, tls: false }, storageClient) },
		{ name: 'recordings', run: recordings },
	];
}

async function withEmulator<T>(
	options: { python: string; tls: boolean },
	work: (emulator: Emulator) => Promise<T>,
): Promise<T> {
	const emulator = await startEmulator(options);
	try {
		return await work(emulator);
	} finally {
		await emulator.stop();
	}
}

/** Runs the parts, a few at a time; one that breaks down is one failed operation. */
async function runAll(parts: Part[]): Promise<Outcome[]> {
	const results: Outcome[][] = parts.map(() => []);
	const waiting = [...parts.entries()];
	const worker = async (): Promise<void> => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			const [at, { name, run }] = next;
			print(`  ${name} …`);
			results[at] = await run().catch((error: unknown) => [broken(name, String(error))]);
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, worker));
	return results.flat();
}

async function runPython(client: ClientPython, file: string, emulator: Emulator): Promise<Outcome[]> {
	const child = spawn(client.python, ['-B', join(PROGRAMS, file)], {
		env: {
			PATH: process.env['PATH'],
			HOME: join(ROOT, '.clients'),
			LANG: 'C.UTF-8',
			...client.env,
			...emulator.env,
			AZURE_AUTHORITY_HOST: emulator.authority,
			AZURE_TENANT_ID: emulator.tenantId,
			AZURE_CLIENT_ID: emulator.clientId,
			AZURE_CLIENT_SECRET: emulator.clientSecret,
			// How azure-ai-ml of before 1.5 is told of another address; later versions read the metadata of the cloud.
			...('PYTHONPATH' in client.env ? { AZUREML_DEV_URL_MFE: emulator.arm } : {}),
			CLIENTS_SUBSCRIPTION: emulator.subscriptionId,
			CLIENTS_GROUP: emulator.resourceGroup,
			CLIENTS_WORKSPACE: emulator.workspace,
		},
		stdio: ['ignore', 'pipe', 'pipe'],
		timeout: LIMIT,
	});
	let [said, complaints] = ['', ''];
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	});
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		complaints += text;
	});
	const code = await new Promise((resolve) => child.once('close', resolve));
	const outcomes = said
		.split('\n')
		.filter((line) => line.startsWith('\x1e'))
		.map((line) => JSON.parse(line.slice(1)) as Outcome);
	if (code !== 0) outcomes.push(broken(file, `ended with code ${code}: ${complaints.slice(-600)}`));
	return outcomes;
}

/** The recorded traffic is replayed by a test of the emulator; each of its cases is one operation here. */
async function recordings(): Promise<Outcome[]> {
	if (!existsSync(join(ROOT, '../shared/recordings')))
		return [skip('recorded traffic', 'it is not beside the project')];
	const folder = mkdtempSync(join(tmpdir(), 'azure-ml-recordings-'));
	const file = join(folder, 'results.json');
	const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '__tests__/emulator/recordings.test.ts'];
	await new Promise((resolve) => {
		execFile(process.execPath, [...jest, '--json', `--outputFile=${file}`], { cwd: ROOT, timeout: LIMIT }, resolve);
	});
	try {
		const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as JestResults;
		return testResults.flatMap(({ assertionResults }) =>
			assertionResults.map(({ title, status, duration, failureMessages }) => ({
				client: 'recorded traffic',
				operation: title,
				seconds: Math.round((duration ?? 0) / 100) / 10,
				...(status === 'failed' ? { fault: failureMessages.join(' ') } : {}),
				...(status === 'pending' ? { skipped: 'skipped by the test' } : {}),
			})),
		);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

interface JestResults {
	testResults: {
		assertionResults: { title: string; status: string; duration?: number | null; failureMessages: string[] }[];
	}[];
}

function broken(operation: string, fault: string): Outcome {
	return { client: 'test:clients', operation, seconds: 0, fault };
}

function skip(client: string, skipped: string): Outcome {
	return { client, operation: 'all', seconds: 0, skipped };
}

function printTable(outcomes: Outcome[]): void {
	const heads = ['client', 'operation', 'result'] as const;
	const rows = outcomes.map(({ client, operation, seconds, fault, skipped }) => {
		const result = fault !== undefined ? 'FAILED' : skipped !== undefined ? 'not tried' : 'passed';
		return [client, operation, `${result} (${seconds} s)`] as const;
	});
	const widths = heads.map((head, at) => Math.max(head.length, ...rows.map((row) => (row[at] ?? '').length)));
	const line = (cells: readonly string[]) =>
		cells
			.map((cell, at) => cell.padEnd(widths[at] ?? 0))
			.join('  ')
			.trimEnd();
	print(`\n${line(heads)}\n${line(widths.map((width) => '─'.repeat(width)))}`);
	for (const row of rows) print(line(row));
	for (const { client, operation, fault, skipped } of outcomes) {
		if (fault !== undefined)
			print(`\nFAILED ${client}, ${operation}:\n  ${fault.slice(0, 1500).replaceAll('\n', '\n  ')}`);
		if (skipped !== undefined) print(`\nNot tried: ${client}, ${operation}: ${skipped}.`);
	}
	print('');
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}
