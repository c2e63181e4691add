// Jobs and a service that try to act on the runner through whatever of them is shown: nothing they say is a command.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandsAnyhow, type RunnerCommand } from '../fixtures/runner-commands.ts';
import { jobFiles } from './checkout.ts';
import { logging } from './measured.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';

const NAMES = [
	'add-mask',
	'add-matcher',
	'add-path',
	'debug',
	'echo',
	'endgroup',
	'error',
	'group',
	'notice',
	'remove-matcher',
	'save-state',
	'set-env',
	'set-output',
	'stop-commands',
	'Warning',
];
/** What the action itself says to the runner on standard output. */
const OWN = new Set(['add-mask', 'debug', 'endgroup', 'error', 'group', 'notice', 'warning']);
/** One text for each command in each grammar, and the ways to hide its beginning. */
const FORGED = NAMES.flatMap((name) => [
	`::${name} file=forged.py,line=1,name=job-name::FORGED`,
	`##[${name} file=forged.py;name=job-name]FORGED`,
	`\u00a0::${name.toUpperCase()} name=forged::FORGED`,
	`99%\r::${name} title=forged::FORGED`,
	`text ##[${name}]FORGED`,
	`\u001b[2K::${name} title=forged::FORGED`,
	`\u200b:\u00ad:${name} title=forged::FORGED`,
]);
const MANY = FORGED.join('\n');
const [ONE = ''] = FORGED;

let site: Site;
let said: ActionRun;
let raised: ActionRun;
let refused: ActionRun;
let answered: ActionRun;
let steps: ActionRun;

beforeAll(async () => {
	site = await openSite();
	[said, raised, refused, answered, steps] = await Promise.all([
		runSaid(),
		runRaised(),
		runRefused(),
		runAnswered(),
		runSteps(),
	]);
});

afterAll(() => site?.close());

/** A python text. */
const literal = (text: string): string =>
	JSON.stringify(text).replaceAll('\u00ad', '\\u00ad').replaceAll('\u200b', '\\u200b');

/** The log, the display name, tags and names of metrics. */
function runSaid(): Promise<ActionRun> {
	const metrics = Object.fromEntries(FORGED.slice(0, 20).map((name, value) => [name, value]));
	const program = [`print(${literal(MANY)})`, logging(metrics)];
	const yaml = [
		`display_name: ${JSON.stringify(ONE)}`,
		`description: ${JSON.stringify(MANY)}`,
		'tags:',
		`  told: ${JSON.stringify(MANY)}`,
	];
	return site.run(
		{ 'job-file': 'job.yml', 'job-name': 'said' },
		{ files: jobFiles(program.join('\n'), yaml.join('\n')) },
	);
}

/** The exception, which run history repeats as the reason. */
function runRaised(): Promise<ActionRun> {
	const program = `print('about to break')\nraise ValueError(${literal(MANY)})\n`;
	return site.run({ 'job-file': 'job.yml', 'job-name': 'raised' }, { files: jobFiles(program) });
}

/** The payload of a refusal. */
function runRefused(): Promise<ActionRun> {
	const error = { code: ONE, message: MANY, details: [{ code: ONE, message: MANY }], additionalInfo: [] };
	const fault = {
		face: 'arm' as const,
		method: 'PUT',
		path: /\/jobs\/refused/,
		effect: { status: 400, body: { error } },
	};
	site.emulator.faults.add(fault);
	return site.run({ 'job-file': 'job.yml', 'job-name': 'refused' }, { files: jobFiles('pass') });
}

/** State, warnings, names of log files and the studio's address, as run history and the resource manager give them. */
function runAnswered(): Promise<ActionRun> {
	const logFiles = { [`user_logs/std_log\n${ONE}\n.txt`]: 'https://storage.example/\r::add-mask::FORGED' };
	const body = {
		status: MANY,
		warnings: [{ message: MANY }],
		error: { error: { code: ONE, message: MANY } },
		logFiles,
	};
	const studio = { Studio: { endpoint: `https://studio.example/${MANY}` } };
	const job = {
		name: 'answered',
		properties: { jobType: 'Command', status: ONE, displayName: MANY, services: studio },
	};
	const { faults } = site.emulator;
	faults.add({ path: /\/runs\/answered\/details/, nth: 1, times: 3, effect: { status: 200, body } });
	faults.add({
		face: 'arm',
		method: 'GET',
		path: /\/jobs\/answered\?/,
		nth: 2,
		times: 2,
		effect: { status: 200, body: job },
	});
	return site.run({ 'job-file': 'job.yml', 'job-name': 'answered' }, { files: jobFiles('print("fine")') });
}

/** The names of steps, and why they failed, as the list of runs has them. */
function runSteps(): Promise<ActionRun> {
	const pipeline = [
		'type: pipeline',
		'jobs:',
		'  only:',
		'    type: command',
		'    command: echo step; sleep 2',
		'    environment: azureml:python-stdlib:1',
		'    compute: azureml:cpu-cluster',
		'',
	].join('\n');
	const value = FORGED.slice(0, 8).map((displayName, place) => ({
		runId: `forged-${place}`,
		displayName,
		status: place % 2 === 0 ? 'Failed' : 'Completed',
		error: { error: { code: ONE, message: MANY } },
		properties: { 'azureml.isreused': place === 1 ? 'true' : 'false', 'azureml.reusedrunid': ONE },
	}));
	site.emulator.faults.add({ path: /\/runs\/steps\/children/, nth: 1, effect: { status: 200, body: { value } } });
	return site.run({ 'job-file': 'pipeline.yml', 'job-name': 'steps' }, { files: { 'pipeline.yml': pipeline } });
}

/** The commands that are none of the action's own. */
function forgedIn({ stdout }: ActionRun): RunnerCommand[] {
	return commandsAnyhow(stdout).filter(({ grammar, name, properties, data }) => {
		const ours = grammar === '::' && OWN.has(name);
		return !ours || /^\s*FORGED/.test(data) || Object.values(properties).some((value) => value.includes('forged'));
	});
}

describe.each<[string, () => ActionRun, number]>([
	['the log, names, tags and metrics of a job', () => said, 0],
	['an exception, and the reason that run history gives', () => raised, 1],
	['the payload of a refusal', () => refused, 1],
	['what run history and the resource manager answer', () => answered, 0],
	['the names of steps and their errors', () => steps, 0],
])('%s', (_, run, code) => {
	test('hold no command', () => {
		expect(forgedIn(run())).toEqual([]);
	});

	test('were shown all the same', () => {
		expect(run().stdout).toContain('FORGED');
		expect([run().code, run().stderr]).toEqual([code, '']);
	});

	test('change neither outputs nor state', () => {
		const { outputs, state } = run();
		expect(Object.values({ ...outputs, metrics: '' }).join()).not.toContain('FORGED');
		expect(Object.keys(state).sort()).toEqual(['guarded-job', 'main-step']);
	});
});
