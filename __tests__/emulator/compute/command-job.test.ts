import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startCommandJob } from '../../../emulator/compute/command-job.ts';
import { commandRun, FolderSite } from './site.ts';

let site: FolderSite;

beforeEach(async () => {
	site = new FolderSite(await mkdtemp(join(tmpdir(), 'site-')));
	await mkdir(join(site.root, 'code'));
	await writeFile(join(site.root, 'code', 'hello.sh'), 'echo "hello $1"; cat "$2" > "$3/copy.txt"\n');
	await writeFile(join(site.root, 'data.csv'), '1,2\n');
});

afterEach(() => rm(site.root, { recursive: true, force: true }));

async function running(pid: number): Promise<boolean> {
	const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
	return !/\) [ZX]/.test(status);
}

describe('a command job', () => {
	test('runs code over inputs and keeps its outputs, artifacts and log', async () => {
		const command =
			'bash hello.sh ${{inputs.who}} ${{inputs.data}} ${{outputs.model}}; basename ${{inputs.data}}; ' +
			'mkdir outputs logs; echo fig > outputs/fig.txt; echo l > logs/l.txt';
		const run = commandRun(command, {
			codeUri: 'store:code',
			inputs: {
				who: { jobInputType: 'literal', value: 'world' },
				data: { jobInputType: 'uri_file', uri: 'store:data.csv', mode: 'ReadOnlyMount' },
			},
			outputs: {
				model: { jobOutputType: 'uri_folder', uri: 'store:kept/model' },
				unused: { jobOutputType: 'uri_folder', uri: 'store:kept/unused' },
				default: { jobOutputType: 'uri_folder', uri: 'store:kept/artifacts/' },
			},
		});
		await startCommandJob(run, site).done;
		expect(site.states).toEqual(['Preparing', 'Running', 'Finalizing', 'Completed']);
		expect(site.log()).toBe('hello world\ndata.csv\n');
		expect(await readFile(site.path('store:kept/model/copy.txt'), 'utf8')).toBe('1,2\n');
		expect(await readFile(site.path('store:kept/artifacts/outputs/fig.txt'), 'utf8')).toBe('fig\n');
		expect(await readFile(site.path('store:kept/artifacts/logs/l.txt'), 'utf8')).toBe('l\n');
		await expect(readFile(site.path('store:kept/unused'))).rejects.toThrow('ENOENT');
		expect(site.log('system_logs/lifecycler/lifecycler.log')).toMatch(/Entering Running\n/);
	});

	test('reports a failing command in the words of the service, with the end of its log', async () => {
		await startCommandJob(commandRun('python -c "raise ValueError(\'no rows\')"'), site).done;
		expect(site.states).toEqual(['Preparing', 'Running', 'Finalizing', 'Failed']);
		expect(site.error).toMatchObject({ code: 'UserError', exitCode: 1 });
		expect(site.error?.message).toMatch(
			/^Execution failed\. User process 'python' exited with status code 1\. Please check log file 'user_logs\/std_log\.txt' for error details\. Error: Traceback [\s\S]*ValueError: no rows$/,
		);
	});

	test('keeps what a failed command wrote', async () => {
		const outputs = { out: { jobOutputType: 'uri_file', uri: 'store:kept/part.txt' } };
		await startCommandJob(commandRun('echo half > ${{outputs.out}}; exit 3', { outputs }), site).done;
		expect(site.error?.exitCode).toBe(3);
		expect(await readFile(site.path('store:kept/part.txt'), 'utf8')).toBe('half\n');
	});

	test('keeps both streams in the order of writing', async () => {
		const lines = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? `echo ${index}` : `echo ${index} >&2`));
		await startCommandJob(commandRun(lines.join(';')), site).done;
		expect(site.log()).toBe(Array.from({ length: 50 }, (_, index) => `${index}\n`).join(''));
	});

	test('shows output while the command still runs', async () => {
		const job = startCommandJob(commandRun('echo first; sleep 60'), site);
		await site.printed('first');
		expect(site.states.at(-1)).toBe('Running');
		await job.cancel();
		expect(site.states.at(-1)).toBe('Canceled');
	});

	test('gives the command its own variables and none of the host', async () => {
		site.tracking = { MLFLOW_RUN_ID: 'calm_pea_1' };
		const run = commandRun('env', {
			inputs: {
				lr: { jobInputType: 'literal', value: '0.1' },
				raw: { jobInputType: 'uri_file', uri: 'abfs://x', mode: 'Direct' },
			},
			environmentVariables: { COLOUR: 'blue' },
		});
		await startCommandJob(run, site, { environment: { PATH: process.env['PATH'], AZURE_SECRET: 's3cret' } }).done;
		const log = site.log();
		for (const line of ['AZUREML_RUN_ID=calm_pea_1', 'MLFLOW_RUN_ID=calm_pea_1', 'COLOUR=blue', 'PYTHONUNBUFFERED=1']) {
			expect(log.split('\n')).toContain(line);
		}
		expect(log).toContain('AZURE_ML_INPUT_lr=0.1\n');
		expect(log).toContain('AZURE_ML_INPUT_raw=abfs://x\n');
		expect(log).not.toContain('s3cret');
	});

	test('has a python where only python3 is installed', async () => {
		const bin = join(site.root, 'bin');
		await mkdir(bin);
		await writeFile(join(bin, 'python3'), '#!/bin/sh\necho "three $1"\n');
		await chmod(join(bin, 'python3'), 0o755);
		await startCommandJob(commandRun('python -V'), site, { environment: { PATH: bin } }).done;
		expect(site.log()).toBe('three -V\n');
	});

	test.each([
		['an unknown name', commandRun('x ${{inputs.nope}}'), /\{\{inputs\.nope\}\}/],
		[
			'missing data',
			commandRun('x', { inputs: { d: { jobInputType: 'uri_folder', uri: 'store:gone' } } }),
			/Nothing is stored/,
		],
	])('fails before it runs for %s', async (_case, run, message) => {
		await startCommandJob(run, site).done;
		expect(site.states).toEqual(['Preparing', 'Failed']);
		expect(site.error?.code).toBe('UserError');
		expect(site.error?.message).toMatch(message);
	});

	test('is a ServiceError when outputs cannot be stored', async () => {
		site.store = () => Promise.reject(new Error('disk full'));
		const outputs = { out: { jobOutputType: 'uri_file', uri: 'store:o' } };
		await startCommandJob(commandRun('echo 1 > ${{outputs.out}}', { outputs }), site).done;
		expect(site.error).toEqual({ code: 'ServiceError', message: 'disk full' });
	});

	test('ends as Canceled at its limit, saying so', async () => {
		await startCommandJob(commandRun('sleep 60', { timeout: 'PT0.2S' }), site).done;
		expect(site.states.at(-1)).toBe('Canceled');
		expect(site.error?.message).toContain('limits.timeout of PT0.2S');
	});

	test('kills the whole group on cancel, members that ignore SIGTERM too', async () => {
		const command = 'trap "" TERM; (trap "" TERM; echo "pid:$BASHPID;"; while :; do sleep 1; done) & wait; sleep 60';
		const job = startCommandJob(commandRun(command), site, { killAfterMs: 150 });
		await site.printed(';');
		const pid = Number(/pid:(\d+);/.exec(site.log())?.[1]);
		expect(await running(pid)).toBe(true);
		await Promise.all([job.cancel(), job.cancel()]);
		expect(site.states.at(-1)).toBe('Canceled');
		expect(await running(pid)).toBe(false);
	});

	test('can be cancelled before it runs, and after it has ended', async () => {
		site.fetch = () => new Promise(() => {});
		const job = startCommandJob(commandRun('echo never', { codeUri: 'store:code' }), site);
		await job.cancel();
		await job.cancel();
		expect(site.states).toEqual(['Preparing', 'Canceled']);
	});

	test('ends soon after a cancel when storage does not answer', async () => {
		site.store = () => new Promise(() => {});
		const outputs = { out: { jobOutputType: 'uri_file', uri: 'store:o' } };
		const run = commandRun('echo 1 > ${{outputs.out}}; echo ready; sleep 60', { outputs });
		const job = startCommandJob(run, site, { settleMs: 20 });
		await site.printed('ready');
		await job.cancel();
		expect(site.states.at(-1)).toBe('Canceled');
	});
});
