// Cases 47 to 49 and 56 to 58 of the fault table: texts that would act, tell, or be written where they do not belong.
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { JobError } from '../../src/errors.ts';
import { openDownloadFolder } from '../../src/job/download-folder.ts';
import { nameFault } from '../../src/job/download-name.ts';
import { parseJson } from '../../src/json.ts';
import { commentOf, summaryOf } from '../../src/report/markdown.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { jobFiles, printing } from '../e2e/checkout.ts';
import { masksOf, readLog } from '../e2e/workflow-log.ts';
import { fullReport, JOB } from '../fixtures/run-report.ts';
import { spellingsOf } from './canary.ts';
import { type FaultSite, openFaultSite } from './site.ts';
import { LOG, SECRET, World } from './world.ts';

let site: FaultSite;
beforeAll(async () => {
	site = await openFaultSite();
});
afterAll(() => site?.close());

/** Commands in both grammars, as a log could hold them. */
const NAMES = [
	'error',
	'add-mask',
	'set-output name=job-name',
	'save-state name=guarded-job',
	'stop-commands',
	'group',
	'debug',
	'echo',
	'add-matcher',
	'remove-matcher owner=x',
	'set-env name=PATH',
	'add-path',
	'notice',
	'warning',
];
const COMMANDS = NAMES.flatMap((name) => [
	`::${name}::a`,
	`  ::${name.toUpperCase()}::a`,
	`\u00a0::${name}::a`,
	`\u200b::${name}::a`,
	`99%\r::${name}::a`,
	`##[${name.split(' ')[0]}]a`,
	`text before ##[${name.split(' ')[0]}]a`,
	`\u001b[2K::${name}::a`,
	`:\u0007:${name}::a`,
	`#\u0000#[${name.split(' ')[0]}]a`,
]);

/** What the runner would take for a command: its two grammars, written down anew from its sources. */
function commandsIn(lines: readonly string[]): string[] {
	return lines
		.flatMap((line) => line.split(/\r\n|\n|\r/))
		.filter(
			(line) =>
				/^::\s*[^\s:]+.*?::/.test(line.replace(/^[\s\u200b-\u200f\u2060\ufeff]+/u, '')) || /##\[[^\]]+\]/.test(line),
		);
}

describe('case 47 X-cmd-inject', () => {
	test('no line of a log acts on the runner, and outputs, state and masks stay as they are', async () => {
		const name = 'case-47';
		const run = await site.run({ 'job-file': 'job.yml', 'job-name': name }, { files: jobFiles(printing(COMMANDS)) });
		expect(await run.broken({ code: 0, job: { name, state: 'Completed' }, log: false })).toEqual([]);
		const commands = readLog(run.stdout).flatMap((line) => (line.kind === 'command' ? [line.command] : []));
		expect([...new Set(commands)].sort()).toEqual(['add-mask', 'debug']);
		expect(run.stdout).not.toMatch(/##\[/);
		expect(masksOf(run.stdout)).not.toContain('a');
		expect([run.outputs['job-name'], run.state['guarded-job']]).toEqual([name, '']);
	});

	test('nor one that comes in two parts, wherever it is divided', async () => {
		const text = '::error::a\n##[group]b\nx\r::add-mask::c\n';
		for (let place = 1; place < text.length; place += 1) {
			const world = new World();
			world.turn(60_000, 'Running');
			world.print(120_000, text.slice(0, place));
			// Longer than an unfinished line is waited for.
			world.print(140_000, text.slice(place));
			world.turn(180_000, 'Completed');
			const run = await world.train();
			expect(run.broken({ code: 0, log: false })).toEqual([]);
			expect(commandsIn(run.shown)).toEqual([]);
		}
	});

	test('the oracle knows a command', () => {
		// Three of the ten are none before what is not shown has been taken out.
		expect(commandsIn(COMMANDS)).toHaveLength(NAMES.length * 7);
	});
});

test('case 48 X-mask-during-stop: a token is registered as soon as it is there; no block ever stops commands', async () => {
	const world = new World();
	world.jobRuns({ hours: 2.5, end: 'Completed' });
	world.clock.at(130 * 60_000, () => world.azure.append(LOG, Buffer.from('token-2-xxxxxxxxxxxxxxxxxxxx\n')));
	const run = await world.train();
	expect(run.broken({ code: 0, log: false })).toEqual([]);
	expect(run.shown).toContain('***');
	// The second layer that could swallow a mask, `stop-commands`, is not used.
	expect([...run.shown, run.said].join('\n')).not.toContain('stop-commands');
});

describe('case 49 X-secret-in-error', () => {
	const spellings = [...spellingsOf(SECRET).keys()];

	test('a service that echoes secrets, tokens and signatures has them taken out everywhere', async () => {
		const { clientSecret } = site.emulator;
		const all = [...spellingsOf(clientSecret).keys()].join(' | ');
		const signed = 'https://a.blob.core.windows.net/c?sv=1&sig=Zm9yZ2VkL3NpZ25hdHVyZQ%3D%3D';
		const message = `Refused: ${all}\nAuthorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4eHh4In0.c2ln and ${signed}`;
		const body = { error: { code: 'UserError', message, details: [{ message: all }] } };
		site.emulator.faults.add({ face: 'arm', method: 'PUT', path: /case-49/, effect: { status: 400, body } });
		const run = await site.run(
			{ 'job-file': 'job.yml', 'job-name': 'case-49' },
			{ files: jobFiles(printing([])), signIn: site.principal, env: { RUNNER_DEBUG: '1' } },
		);
		expect(await run.broken({ code: 1, says: /Refused: \*\*\*/, job: { name: 'case-49', state: 'none' } })).toEqual([]);
		expect(run.stdout + run.summaryMarkdown).not.toMatch(/Zm9yZ2VkL3NpZ25|eyJzdWIi/);
	});

	test('a file that holds one, and is only planned, has none in its plan', async () => {
		const { clientSecret } = site.emulator;
		const temp = mkdtempSync(join(tmpdir(), 'plan-'));
		const { 'job.yml': yaml = '', ...files } = jobFiles(printing([]));
		const settings = `environment_variables:\n  TOKEN: ${JSON.stringify(clientSecret)}\n  LINE: ${JSON.stringify(`a=${encodeURIComponent(clientSecret)}`)}\n`;
		const run = await site.run(
			{ 'job-file': 'job.yml', 'dry-run': 'true' },
			{ files: { ...files, 'job.yml': yaml + settings }, signIn: site.principal, env: { RUNNER_TEMP: temp } },
		);
		expect(run.outputs['plan-path']).toContain(temp);
		expect(await run.broken({ code: 0 })).toEqual([]);
		rmSync(temp, { recursive: true });
	});

	test('a log that prints them in any spelling shows none', async () => {
		const world = new World();
		world.turn(60_000, 'Running');
		world.print(120_000, `${spellings.map((text) => `it is ${text}, I say`).join('\n')}\n`);
		world.turn(180_000, 'Completed');
		expect((await world.train()).broken({ code: 0, log: false })).toEqual([]);
	});

	test('nor one that stops in the middle of a secret for longer than a line is waited for', async () => {
		for (let place = 1; place < SECRET.length; place += 1) {
			const world = new World();
			world.turn(60_000, 'Running');
			world.print(120_000, `the secret: ${SECRET.slice(0, place)}`);
			world.print(150_000, `${SECRET.slice(place)} was the secret\n`);
			world.turn(180_000, 'Completed');
			expect((await world.train()).broken({ code: 0, log: false })).toEqual([]);
		}
	});

	test('nor one whose line is so long that it is shown in pieces, wherever the secret stands in it', async () => {
		for (let place = 65_536 - SECRET.length; place <= 65_536; place += 3) {
			const world = new World();
			world.turn(60_000, 'Running');
			world.print(120_000, `${'x'.repeat(place)}${SECRET}${'y'.repeat(70_000)}\n`);
			world.turn(180_000, 'Completed');
			expect((await world.train()).broken({ code: 0, log: false })).toEqual([]);
		}
	});
});

test('case 56 X-proto: names that objects know are names like any others', () => {
	for (const text of ['__proto__: {x: 1}', 'constructor: {prototype: {x: 1}}', 'a: {__proto__: {x: 1}}'])
		try {
			loadYaml(text, 'job.yml', '/checkout');
		} catch (error) {
			expect(String(error)).toContain('__proto__');
		}
	parseJson('{"__proto__": {"x": 1}, "constructor": {"prototype": {"x": 1}}}');
	expect(({} as Record<string, unknown>)['x']).toBeUndefined();
	expect(Object.prototype).not.toHaveProperty('x');
});

describe('case 57 X-zip-slip', () => {
	test.each([
		'../x',
		'a/../../x',
		'/etc/x',
		'C:/x',
		'C:x',
		'a\\..\\x',
		'a\0b',
		'nul',
		'COM1.txt',
		'a/./b',
		'a//b',
		'x.',
		'a:b',
	])('%j is refused', (name) => {
		expect(nameFault(name)).toBeDefined();
	});

	test('nor is anything written through a link', async () => {
		const [checkout, outside] = ['checkout-', 'outside-'].map((name) => mkdtempSync(join(tmpdir(), name))) as [
			string,
			string,
		];
		const pieces = async function* () {
			yield Buffer.from('stolen');
		};
		const folder = await openDownloadFolder('got', checkout);
		symlinkSync(outside, join(checkout, 'got/sub'));
		const content = { size: 6, md5: undefined, pieces };
		await expect(folder.write('sub/x.txt', content)).rejects.toThrow(/link/);
		expect([readdirSync(outside), existsSync(join(outside, 'x.txt'))]).toEqual([[], false]);
		for (const made of [checkout, outside]) rmSync(made, { recursive: true });
	});
});

test('case 58 X-summary-md: names and errors from outside are text in the summary and in the comment', () => {
	const nasty =
		'a | b `c` <img src=https://evil.example/x> ![i](https://evil.example/i) [l](https://evil.example) ]( \n## h\n<script>';
	const report = {
		...fullReport(),
		job: {
			...JOB,
			displayName: nasty,
			experimentName: nasty,
			studioUrl: 'https://evil.example/studio',
			tags: { t: nasty },
		},
		metrics: { [nasty]: 1 },
		notes: [],
		failure: new JobError({ what: nasty, why: nasty }, 'Failed', [nasty, '```', nasty]),
		lastLines: [nasty, '```'],
	};
	for (const markdown of [summaryOf(report), commentOf(report, '<!-- marker -->')]) {
		// Inside of code nothing is rendered.
		const outside = markdown.replace(/(`{3,})[\s\S]*?\n\1/g, '').replace(/(`+)[^`][\s\S]*?\1/g, '');
		expect(outside).not.toMatch(/<(img|script)/i);
		expect(outside).not.toMatch(/(?<!\\)!\[/);
		expect(outside).not.toMatch(/\]\(<?https:\/\/evil/);
		expect(outside.split('\n').filter((line) => /^## h/.test(line))).toEqual([]);
	}
});
