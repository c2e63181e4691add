// Distributed jobs end to end: every process really runs, the first one's log is live, the others follow in groups.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobFiles, makeGate } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import { openSite, type Site } from './site.ts';
import { annotationsOf, errorsOf, type LogLine, readLog } from './workflow-log.ts';

/** Lines of a job's YAML that distribute it. */
function distributed(instances: number, ...lines: readonly string[]): string {
	return ['resources:', `  instance_count: ${instances}`, 'distribution:', ...lines.map((line) => `  ${line}`)].join(
		'\n',
	);
}

const PYTORCH = distributed(2, 'type: pytorch', 'process_count_per_instance: 2');

let site: Site;
let torch: ActionRun;
let mpi: ActionRun;
let tensorflow: ActionRun;
let broken: ActionRun;

beforeAll(async () => {
	site = await openSite();
	const run = (name: string, program: string, yaml: string): Promise<ActionRun> =>
		site.run({ 'job-file': 'job.yml', 'job-name': name }, { files: jobFiles(program, yaml) });
	[torch, mpi, tensorflow, broken] = await Promise.all([
		runTorch(),
		run(
			'mpi',
			"import os\nprint('mpi', os.environ['OMPI_COMM_WORLD_RANK'], 'of', os.environ['OMPI_COMM_WORLD_SIZE'])\n",
			distributed(3, 'type: mpi', 'process_count_per_instance: 1'),
		),
		run(
			'tensorflow',
			"import json, os\ntask = json.loads(os.environ['TF_CONFIG'])['task']\nprint('this is', task['type'], task['index'])\n",
			distributed(2, 'type: tensorflow', 'worker_count: 2', 'parameter_server_count: 1'),
		),
		run(
			'broken',
			"import os, time\nif os.environ['RANK'] == '2':\n    raise ValueError('rank two has no data')\ntime.sleep(60)\n",
			PYTORCH,
		),
	]);
});

afterAll(() => site?.close());

/** The first process goes on only when the log shows what it has printed: a log that is not live would never end. */
async function runTorch(): Promise<ActionRun> {
	const gate = makeGate();
	const waiting = gate
		.program(['rank 0 begins'], ['rank 0 ends'])
		.split('\n')
		.map((line) => `    ${line}`);
	const program = [
		'import os',
		"rank = os.environ['RANK']",
		"if rank == '0':",
		...waiting,
		'else:',
		"    print('rank', rank, 'local', os.environ['LOCAL_RANK'], 'node', os.environ['NODE_RANK'])",
	].join('\n');
	let log = '';
	return site.run(
		{ 'job-file': 'job.yml', 'job-name': 'torch' },
		{
			files: jobFiles(program, PYTORCH),
			onOutput: (text) => {
				log += text;
				if (log.includes('rank 0 begins')) gate.open();
			},
		},
	);
}

/** What was shown of each log file: under its heading where it was live, in its group otherwise. */
function logsOf({ stdout }: ActionRun): Record<string, { readonly live: boolean; readonly lines: readonly string[] }> {
	const shown: Record<string, { live: boolean; lines: string[] }> = {};
	let current: string[] | undefined;
	for (const line of readLog(stdout)) {
		const title = titleOf(line);
		if (title !== undefined) {
			current = [];
			shown[title] ??= { live: line.kind === 'text', lines: current };
			current = shown[title]?.lines;
		} else if (line.kind === 'command') {
			if (line.command === 'endgroup') current = undefined;
		} else if (!/^(Job |Metrics|The job |Studio)/.test(line.text)) current?.push(line.text);
	}
	return shown;
}

function titleOf(line: LogLine): string | undefined {
	if (line.kind === 'command') return line.command === 'group' ? line.message : undefined;
	return /^── (user_logs\/.*)$/.exec(line.text)?.[1];
}

describe('a PyTorch job of two instances with two processes each', () => {
	test('shows the first process live', () => {
		expect([torch.code, errorsOf(torch.stdout)]).toEqual([0, []]);
		expect(logsOf(torch)['user_logs/std_log_process_00.txt']).toEqual({
			live: true,
			lines: ['rank 0 begins', 'rank 0 ends'],
		});
	});

	test('shows each of the others in a group of its own', () => {
		const { 'user_logs/std_log_process_00.txt': _, ...others } = logsOf(torch);
		expect(others).toEqual({
			'user_logs/std_log_process_01.txt': { live: false, lines: ['rank 1 local 1 node 0'] },
			'user_logs/std_log_process_02.txt': { live: false, lines: ['rank 2 local 0 node 1'] },
			'user_logs/std_log_process_03.txt': { live: false, lines: ['rank 3 local 1 node 1'] },
		});
	});
});

test('an MPI job shows each process', () => {
	expect([mpi.code, errorsOf(mpi.stdout)]).toEqual([0, []]);
	expect(Object.values(logsOf(mpi)).map(({ lines }) => lines)).toEqual([
		['mpi 0 of 3'],
		['mpi 1 of 3'],
		['mpi 2 of 3'],
	]);
});

test('a TensorFlow job shows workers and parameter servers', () => {
	expect([tensorflow.code, errorsOf(tensorflow.stdout)]).toEqual([0, []]);
	const lines = Object.values(logsOf(tensorflow)).flatMap((log) => log.lines);
	expect(lines.sort()).toEqual(['this is ps 0', 'this is worker 0', 'this is worker 1']);
});

test('a job whose third process raises is an error at the line that raised, and shows the lines of that process', () => {
	expect(broken.code).toBe(1);
	const errors = annotationsOf(broken.stdout).filter(({ level }) => level === 'error');
	expect(errors).toEqual([expect.objectContaining({ file: 'src/train.py', line: 3 })]);
	expect(errors[0]?.message).toContain('ValueError: rank two has no data');
	expect(broken.summary).toContain('ValueError: rank two has no data');
	expect(site.emulator.jobs().find(({ name }) => name === 'broken')?.status).toBe('Failed');
});
