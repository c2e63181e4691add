import { describe, expect, test } from '@jest/globals';
import { chooseLogs, systemLogs } from '../../src/job/log-names.ts';

const USER = 'user_logs/std_log.txt';
const IMAGE = 'azureml-logs/20_image_build_log.txt';

describe('the files to show live', () => {
	test.each<[string, string[], string[]]>([
		['what the training prints', [USER, 'system_logs/lifecycler/execution-wrapper.log'], [USER]],
		['not older ones beside it', [USER, 'azureml-logs/70_driver_log.txt'], [USER]],
		[
			'older ones without it, in order',
			['azureml-logs/70_driver_log.txt', 'azureml-logs/55_azureml-execution-tvmps_1.txt'],
			['azureml-logs/55_azureml-execution-tvmps_1.txt', 'azureml-logs/70_driver_log.txt'],
		],
		[
			"a pipeline's own",
			['logs/azureml/stdoutlogs.txt', 'logs/azureml/executionlogs.txt', 'logs/azureml/executionlogs.txt.bak'],
			['logs/azureml/executionlogs.txt', 'logs/azureml/stdoutlogs.txt'],
		],
		['those of a sweep', ['azureml-logs/hyperdrive.txt'], ['azureml-logs/hyperdrive.txt']],
		["a Spark driver's", ['logs/azureml/driver/stdout', 'logs/azureml/executor/1'], ['logs/azureml/driver/stdout']],
		['none of none', ['system_logs/x.log', 'user_logs/other.txt'], []],
	])('are %s', (_, paths, live) => {
		expect(chooseLogs(paths)).toEqual({ image: [], live, grouped: [] });
	});

	test.each([IMAGE, 'azureml-logs/20_image_build_log_1.txt', 'system_logs/image_build_log.txt'])(
		'have the building of the image beside them: %s',
		(path) => {
			expect(chooseLogs([USER, path])).toEqual({ image: [path], live: [USER], grouped: [] });
			expect(chooseLogs([path])).toEqual({ image: [path], live: [], grouped: [] });
		},
	);
});

describe('of a distributed job', () => {
	const ranks = (form: (rank: number) => string): string[] => Array.from({ length: 64 }, (_, rank) => form(rank));

	test.each<[string, (rank: number) => string]>([
		['user_logs/std_log_process_0.txt', (rank) => `user_logs/std_log_process_${rank}.txt`],
		['user_logs/std_log_process_00.txt', (rank) => `user_logs/std_log_process_${String(rank).padStart(2, '0')}.txt`],
		['user_logs/std_log_0.txt', (rank) => `user_logs/std_log_${rank}.txt`],
		[
			'user_logs/std_log_node_0_rank_0.txt',
			(rank) => `user_logs/std_log_node_${Math.floor(rank / 8)}_rank_${rank % 8}.txt`,
		],
		['azureml-logs/70_driver_log_0.txt', (rank) => `azureml-logs/70_driver_log_${rank}.txt`],
	])('%s is live, the others follow in the order of their numbers', (first, form) => {
		const all = ranks(form);
		const chosen = chooseLogs([...all].sort().reverse());
		expect(chosen.live).toEqual([first]);
		expect(chosen.grouped).toEqual(all.slice(1));
	});

	test('of TensorFlow the first worker and the first parameter server are live', () => {
		const paths = ['ps', 'worker'].flatMap((kind) => [0, 1].map((n) => `user_logs/std_log_node_0${n}_${kind}.txt`));
		expect(chooseLogs(paths)).toEqual({
			image: [],
			live: ['user_logs/std_log_node_00_ps.txt', 'user_logs/std_log_node_00_worker.txt'],
			grouped: ['user_logs/std_log_node_01_ps.txt', 'user_logs/std_log_node_01_worker.txt'],
		});
	});
});

test('of a job whose machine was replaced the last attempt is live', () => {
	const attempts = ['retry_002', 'retry_010'].flatMap((folder) =>
		[0, 1].map((n) => `user_logs/${folder}/std_log_process_${n}.txt`),
	);
	expect(chooseLogs([USER, ...attempts])).toEqual({
		image: [],
		live: ['user_logs/retry_010/std_log_process_0.txt'],
		grouped: [...attempts.slice(0, 2), 'user_logs/retry_010/std_log_process_1.txt', USER],
	});
});

test('the logs of the machine are those that tell why a job did not start', () => {
	const named = ['system_logs/lifecycler/execution-wrapper.log', 'system_logs/metrics_capability/x.log', USER];
	expect(systemLogs(named)).toEqual(['system_logs/lifecycler/execution-wrapper.log']);
});
