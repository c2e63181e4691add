// The programs that are measured against each other, each run as its users run it, in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readActionFile } from '../scripts/action-file.ts';
import type { ClientPython } from '../scripts/client-environments.ts';
import { type BenchServer, IDENTITY, type Seen, WORKSPACE } from './server.ts';

const ROOT = join(import.meta.dirname, '..');
/** A contender that takes longer, in milliseconds, is stopped and the row says so. */
const LIMIT = 180_000;
/** Ticks of the kernel's clock per second, the unit of processor time in /proc. */
const TICKS = 100;

/** What the Azure CLI must know of a cloud to sign in and ask something there. */
const CLI_ENDPOINTS = [
	'resource_manager',
	'active_directory',
	'active_directory_resource_id',
	'active_directory_graph_resource_id',
	'management',
];

/** A program, ready to be started in a checkout that holds job.yml. */
export interface Contender {
	readonly name: string;
	start(server: BenchServer, checkout: string): { child: ChildProcess; clean: () => void };
}

/** What one run took: milliseconds, and bytes of memory at its highest. */
export interface Cost {
	readonly wall: number;
	readonly cpu: number;
	readonly memory: number;
	readonly requests: number;
	/** Milliseconds from the first request to storage that puts something to the end of the last one; 0 where there was none. */
	readonly storage: number;
}

/** This action, as it was built into a folder. */
export function action(name: string, folder: string): Contender {
	return {
		name,
		start(server, checkout) {
			const temp = mkdtempSync(join(tmpdir(), 'bench-runner-'));
			const child = spawn(process.execPath, [join(folder, 'index.js')], {
				cwd: checkout,
				env: actionEnvironment(server, checkout, temp),
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			return { child, clean: () => rmSync(temp, { recursive: true, force: true }) };
		},
	};
}

/** This action as it is shipped. */
export const ACTION: Contender = action('action', join(ROOT, 'dist'));

/** Microsoft's client in this Python. */
export function sdk(name: string, { python, env }: ClientPython): Contender {
	return {
		name,
		start(server, checkout) {
			const child = spawn(python, [join(import.meta.dirname, 'client.py'), 'job.yml'], {
				cwd: checkout,
				env: {
					PATH: process.env['PATH'] ?? '',
					HOME: checkout,
					PYTHONDONTWRITEBYTECODE: '',
					...sdkEnvironment(server),
					...env,
				},
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			return { child, clean: () => {} };
		},
	};
}

/**
 * The Azure CLI, signed in already as azure/login leaves it, in this folder: `az resource show` asks for the workspace.
 * `az ml` loads azure-ai-ml on top of what that loads.
 */
export async function signedInCli(
	{ python, env }: ClientPython,
	server: BenchServer,
	home: string,
): Promise<Contender> {
	const { clientId, clientSecret, tenantId } = IDENTITY;
	writeFileSync(join(home, 'config'), '[cloud]\nname = Bench\n[core]\ncollect_telemetry = no\n');
	const endpoints = CLI_ENDPOINTS.map((name) => `endpoint_${name} = ${server.origin}\n`);
	writeFileSync(join(home, 'clouds.config'), `[Bench]\n${endpoints.join('')}`);
	const az = (...words: string[]): ChildProcess =>
		spawn(python, ['-m', 'azure.cli', ...words], {
			env: {
				PATH: process.env['PATH'] ?? '',
				HOME: home,
				AZURE_CONFIG_DIR: home,
				AZURE_CORE_INSTANCE_DISCOVERY: 'no',
				REQUESTS_CA_BUNDLE: server.bundle,
				...env,
			},
			stdio: ['ignore', 'ignore', 'pipe'],
		});
	const who = ['--username', clientId, '--password', clientSecret, '--tenant', tenantId];
	const signIn = az('login', '--service-principal', ...who);
	let said = '';
	signIn.stderr?.setEncoding('utf8').on('data', (text: string) => {
		said += text;
	});
	const code = await new Promise((resolve, reject) => signIn.once('error', reject).once('close', resolve));
	if (code !== 0) throw new Error(`az login ended with ${code}:\n${said.slice(-2_000)}`);
	const show = ['resource', 'show', '--ids', WORKSPACE, '--api-version', '2025-09-01'];
	return { name: 'az', start: () => ({ child: az(...show), clean: () => {} }) };
}

/** What could be reached at all: the same requests and nothing else, so many files side by side. See bare.mjs. */
export function bare(name: string, wide: number, known: boolean): Contender {
	return {
		name,
		start(server, checkout) {
			const place = [server.origin, IDENTITY.tenantId, WORKSPACE, join(checkout, 'src')];
			const child = spawn(
				process.execPath,
				[join(import.meta.dirname, 'bare.mjs'), ...place, String(wide), known ? 'known' : ''],
				{
					env: { PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: server.caFile },
					stdio: ['ignore', 'ignore', 'pipe'],
				},
			);
			return { child, clean: () => {} };
		},
	};
}

/**
 * Runs a contender until the server has answered a request that `until` accepts; `stop` ends the process right there.
 * Processor time and memory are those of that moment.
 * @throws Error when it ends without such a request, with the end of what it said
 */
export async function run(
	contender: Contender,
	server: BenchServer,
	checkout: string,
	{ until, stop }: { until: (seen: Seen) => boolean; stop: boolean },
): Promise<Cost> {
	const started = performance.now();
	const { child, clean } = contender.start(server, checkout);
	let said = '';
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		said = (said + text).slice(-2_000);
	});
	let cost: Omit<Cost, 'requests' | 'storage'> | undefined;
	let first = 0;
	server.onAnswer = (seen) => {
		if (cost !== undefined || !until(seen) || child.pid === undefined) return;
		cost = { wall: performance.now() - started, ...usageOf(child.pid) };
		first = server.seen.length;
		if (stop) child.kill('SIGKILL');
	};
	const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT);
	await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
	clearTimeout(limit);
	clean();
	if (cost === undefined) throw new Error(`${contender.name} did not get there. The end of what it said:\n${said}`);
	return { ...cost, requests: stop ? first : server.seen.length, storage: storageTime(server.seen) };
}

function storageTime(seen: readonly Seen[]): number {
	const puts = seen.filter(({ method, path }) => method === 'PUT' && path.startsWith('/store'));
	if (puts.length === 0) return 0;
	return Math.max(...puts.map(({ ended }) => ended)) - Math.min(...puts.map(({ began }) => began));
}

/** Processor time of all threads so far, and the most memory that was resident. */
function usageOf(pid: number): { cpu: number; memory: number } {
	// The name of the program, in parentheses, may hold spaces.
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
		.replace(/^.*\) /s, '')
		.split(' ');
	const ticks = Number(fields[11]) + Number(fields[12]);
	const most = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
	return { cpu: (ticks / TICKS) * 1000, memory: Number(most ?? 0) * 1024 };
}

function sdkEnvironment(server: BenchServer): Record<string, string> {
	return {
		AZURE_TENANT_ID: IDENTITY.tenantId,
		AZURE_CLIENT_ID: IDENTITY.clientId,
		AZURE_CLIENT_SECRET: IDENTITY.clientSecret,
		AZURE_AUTHORITY_HOST: server.origin,
		BENCH_SUBSCRIPTION: IDENTITY.subscriptionId,
		BENCH_GROUP: IDENTITY.resourceGroup,
		BENCH_WORKSPACE: IDENTITY.workspace,
		REQUESTS_CA_BUNDLE: server.bundle,
		SSL_CERT_FILE: server.bundle,
	};
}

function actionEnvironment(server: BenchServer, checkout: string, temp: string): Record<string, string> {
	const file = (name: string): string => {
		const path = join(temp, name);
		writeFileSync(path, name === 'event.json' ? '{}' : '');
		return path;
	};
	const { inputs } = readActionFile(join(ROOT, 'action.yml'));
	const defaults = inputs.map(({ name, default: value = '' }) => [name, value.includes('${{') ? '' : value]);
	const given = {
		...Object.fromEntries(defaults),
		'client-id': IDENTITY.clientId,
		'tenant-id': IDENTITY.tenantId,
		'client-secret': IDENTITY.clientSecret,
		'subscription-id': IDENTITY.subscriptionId,
		'resource-group': IDENTITY.resourceGroup,
		workspace: IDENTITY.workspace,
		cloud: server.cloudFile,
		'job-file': 'job.yml',
		wait: 'false',
	};
	return {
		PATH: process.env['PATH'] ?? '',
		HOME: temp,
		CI: 'true',
		NODE_EXTRA_CA_CERTS: server.caFile,
		RUNNER_OS: 'Linux',
		RUNNER_TEMP: temp,
		GITHUB_ACTIONS: 'true',
		GITHUB_EVENT_NAME: 'push',
		GITHUB_EVENT_PATH: file('event.json'),
		GITHUB_JOB: 'train',
		GITHUB_OUTPUT: file('output'),
		GITHUB_REF: 'refs/heads/main',
		GITHUB_REPOSITORY: 'octo-org/octo-repo',
		GITHUB_REPOSITORY_OWNER: 'octo-org',
		GITHUB_RUN_ATTEMPT: '1',
		GITHUB_RUN_ID: '1658821493',
		GITHUB_SERVER_URL: 'https://github.com',
		GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
		GITHUB_STATE: file('state'),
		GITHUB_STEP_SUMMARY: file('summary'),
		GITHUB_WORKFLOW: 'train',
		GITHUB_WORKSPACE: checkout,
		...Object.fromEntries(
			Object.entries(given).map(([name, value]) => [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, value]),
		),
	};
}
