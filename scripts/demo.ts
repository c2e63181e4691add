// `npm run demo`: the main job of the action on a local Azure ML, for human eyes: train, register, deploy, ask the endpoint.
// It exits with 0 only when all of that came out right, by what the emulator holds. What the steps do is in src/.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClient } from '../__tests__/e2e/azure-client.ts';
import { type ActionRun, killAll, runAction } from '../__tests__/e2e/runner.ts';
import { readLine } from '../__tests__/e2e/workflow-log.ts';
import { type Emulator, startEmulator } from '../emulator/emulator.ts';

const ROOT = join(import.meta.dirname, '..');
const IRIS = join(ROOT, 'examples/iris');
const WIDTH = 78;
/** Longest time for the action, in milliseconds; it takes a fraction of it. */
const LIMIT = 3 * 60_000;

/** Something that the demo needs and does not find, or that came out otherwise than it should. */
class DemoError extends Error {}

/** Runs the demo. Throws when something came out wrong. */
async function demo(): Promise<void> {
	checkNeeds();
	print('Starting a local Azure ML (Entra, Resource Manager, storage, tracking, scoring on loopback) …');
	const starting = startEmulator({ quiet: true });
	const interrupted = stopOnSignal(starting);
	const emulator = await starting;
	if (interrupted()) return;
	try {
		const { code, summaryMarkdown, took } = await runIris(emulator);
		if (interrupted()) return;
		const summaryFile = join(mkdtempSync(join(tmpdir(), 'azure-ml-demo-')), 'summary.md');
		writeFileSync(summaryFile, summaryMarkdown);
		if (code !== 0) throw new DemoError(`The action ended with exit code ${code}. Its summary is in ${summaryFile}.`);
		const made = await lookAt(emulator);
		show(made, { summaryFile, took });
		const faults = faultsOf(made);
		if (faults.length > 0) throw new DemoError(`Not all is as it should be: ${faults.join('; ')}.`);
		print('\nAll of it is as it should be.');
	} finally {
		killAll();
		await emulator.stop();
	}
}

function checkNeeds(): void {
	if (!existsSync(join(ROOT, 'dist/index.js')))
		throw new DemoError('There is no dist/index.js: build the action with `npm run build`.');
	try {
		execFileSync('python3', ['--version'], { stdio: 'ignore' });
	} catch {
		throw new DemoError(
			'There is no python3 on PATH. The demo trains and serves with it: install it (Debian: `apt-get install python3`) and run again.',
		);
	}
}

/** Ctrl-C takes everything down, whatever is under way; a second one does not wait for it. Gives whether it was asked for. */
function stopOnSignal(starting: Promise<Emulator>): () => boolean {
	let asked = false;
	const stop = async (signal: NodeJS.Signals): Promise<void> => {
		if (asked) process.exit(130);
		asked = true;
		print(`\n${signal}: taking the local Azure ML down.`);
		killAll();
		await starting.then((emulator) => emulator.stop()).catch(() => {});
		process.exit(130);
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, (name) => void stop(name));
	return () => asked;
}

/** The inputs as `examples/iris/.github/workflows/train.yml` gives them, but for the traffic, which goes over at once. */
function inputsFor(emulator: Emulator): Record<string, string> {
	return {
		...emulator.inputs,
		'job-file': 'job.yml',
		'metric-gates': 'accuracy >= 0.9',
		'model-name': 'iris',
		'model-path': 'model',
		'endpoint-file': 'endpoint.yml',
		'deployment-file': 'deployment.yml',
		'smoke-test-file': 'smoke-test.json',
		'smoke-test-expect': readFileSync(join(IRIS, 'smoke-test-expect.json'), 'utf8').trim(),
		traffic: '100',
	};
}

async function runIris(emulator: Emulator): Promise<ActionRun> {
	const inputs = inputsFor(emulator);
	title('The step in the workflow');
	print('- uses: your-org/azure-ml-action@v1\n  with:');
	for (const [name, value] of Object.entries(inputs)) print(`    ${name}: ${value}`);
	title('The log of the step');
	const log = logPrinter();
	const run = await runAction({
		inputs,
		checkout: IRIS,
		env: emulator.env,
		limit: LIMIT,
		onOutput: log.write,
	});
	log.end();
	if (run.stderr !== '') print(run.stderr);
	return run;
}

/** Prints the log as GitHub shows it: commands hidden, groups indented, annotations marked. */
function logPrinter(): { write(text: string): void; end(): void } {
	let rest = '';
	let indent = '  ';
	const printLine = (line: string): void => {
		const read = readLine(line);
		if (read.kind === 'text') print(`${indent}${read.text}`);
		else if (read.command === 'group') {
			print(`${indent}▾ ${read.message}`);
			indent += '  ';
		} else if (read.command === 'endgroup') indent = '  ';
		else if (['error', 'warning', 'notice'].includes(read.command))
			print(`${indent}${read.command === 'error' ? '✗' : '!'} ${read.command}: ${read.message}`);
	};
	return {
		write(text) {
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			lines.forEach(printLine);
		},
		end: () => rest !== '' && printLine(rest),
	};
}

/** What the demo holds in the end. */
interface Made {
	readonly job: string;
	readonly status: string;
	readonly metrics: Readonly<Record<string, number>>;
	readonly models: readonly string[];
	readonly endpoint: string;
	readonly scoringUri: string;
	readonly deployments: readonly string[];
	readonly traffic: unknown;
	readonly answer: { readonly status: number; readonly deployment: string | null; readonly text: string };
}

/** Looks at the emulator and asks the endpoint as a client would. */
async function lookAt(emulator: Emulator): Promise<Made> {
	const client = await openClient(emulator);
	const job = expectOne(emulator.jobs(), 'job');
	const endpoint = expectOne(emulator.endpoints(), 'endpoint');
	const { value } = await client.get('/models/iris/versions');
	return {
		job: job.name,
		status: job.status,
		metrics: await client.metrics(job.name),
		models: (value as { name: string }[]).map(({ name }) => `iris:${name}`),
		endpoint: endpoint.name,
		scoringUri: String(endpoint.properties['scoringUri']),
		deployments: endpoint.deployments.map(({ name }) => name),
		traffic: endpoint.properties['traffic'],
		answer: await client.score(endpoint.name, readFileSync(join(IRIS, 'smoke-test.json'), 'utf8')),
	};
}

function expectOne<T>(all: readonly T[], what: string): T {
	const [only, ...more] = all;
	if (only === undefined || more.length > 0) throw new DemoError(`Expected one ${what}, found ${all.length}.`);
	return only;
}

function show(made: Made, { summaryFile, took }: { summaryFile: string; took: number }): void {
	title('A client asks the endpoint');
	const { status, deployment, text } = made.answer;
	print(`  POST ${made.scoringUri}`);
	print(`  ${readFileSync(join(IRIS, 'smoke-test.json'), 'utf8').replace(/\s+/g, ' ').trim()}`);
	print(`  HTTP ${status}, answered by the deployment ${deployment}:\n  ${text}`);
	title('What was made');
	const rows: [string, string][] = [
		['Job', `${made.job}: ${made.status}`],
		['Metrics', pairs(made.metrics)],
		['Model', made.models.join(', ')],
		['Endpoint', made.endpoint],
		['Deployment', made.deployments.join(', ')],
		['Traffic', JSON.stringify(made.traffic)],
		['Answer', text],
		['Job summary', summaryFile],
		['Took', `${(took / 1000).toFixed(1)} s`],
	];
	for (const [name, value] of rows) print(`  ${name.padEnd(12)} ${value}`);
}

/** What is not as it should be, in words. */
function faultsOf({ status, metrics, models, traffic, answer }: Made): string[] {
	const expected = JSON.parse(readFileSync(join(IRIS, 'smoke-test-expect.json'), 'utf8')) as Record<string, unknown>;
	const checks: [boolean, string][] = [
		[status === 'Completed', `the job is ${status}`],
		[Object.keys(metrics).length > 0, 'the job has logged no metrics'],
		[models.join() === 'iris:1', `the registered models are ${models.join(', ') || 'none'}`],
		[JSON.stringify(traffic) === '{"blue":100}', `the traffic is ${JSON.stringify(traffic)}`],
		[answer.status === 200 && contains(answer.text, expected), `the endpoint answered ${answer.status} ${answer.text}`],
	];
	return checks.filter(([right]) => !right).map(([, fault]) => fault);
}

function contains(answer: string, expected: Record<string, unknown>): boolean {
	const got = JSON.parse(answer) as Record<string, unknown>;
	return Object.entries(expected).every(([key, value]) => JSON.stringify(got[key]) === JSON.stringify(value));
}

function pairs(values: Readonly<Record<string, number>>): string {
	return Object.entries(values)
		.map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
		.join(', ');
}

function title(text: string): void {
	print(`\n── ${text} ${'─'.repeat(Math.max(3, WIDTH - text.length))}`);
}

function print(text: string): void {
	process.stdout.write(`${text}\n`);
}

try {
	await demo();
} catch (error) {
	process.stderr.write(
		`\n${error instanceof DemoError ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
	);
	process.exitCode = 1;
}
