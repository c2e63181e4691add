// The example lightgbm-iris by the built action: train, gate, register, deploy, ask.

import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Emulator } from '../../emulator/emulator.ts';
import { type ActionRun, runAction } from '../e2e/runner.ts';
import { type Outcome, Session } from './session.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/lightgbm-iris');
/** Longest time for the action, in milliseconds. */
const LIMIT = 5 * 60_000;

/** Runs the action once, and looks at what it made. */
export async function actionOnLightgbm(emulator: Emulator): Promise<Outcome[]> {
	const session = new Session('this action');
	let run: ActionRun | undefined;
	await session.operation('lightgbm-iris: train, gate, register, deploy, invoke', async () => {
		run = await runAction({ inputs: inputsFor(emulator), checkout: EXAMPLE, env: emulator.env, limit: LIMIT });
		strictEqual(run.code, 0, `The action failed: ${run.stdout.slice(-2000)}`);
	});
	await session.operation('lightgbm-iris: what is there afterwards', async () => {
		deepStrictEqual(
			emulator.jobs().map(({ status }) => status),
			['Completed'],
		);
		const [endpoint] = emulator.endpoints();
		deepStrictEqual(endpoint?.properties['traffic'], { blue: 100 });
		const metrics = emulator.runs().flatMap((one) => Object.keys(one.metrics));
		ok(metrics.includes('accuracy') && metrics.includes('test-multi_logloss'), `metrics: ${metrics.join(', ')}`);
	});
	return session.outcomes;
}

function inputsFor(emulator: Emulator): Record<string, string> {
	return {
		...emulator.inputs,
		'job-file': 'job.yml',
		'metric-gates': 'accuracy >= 0.9',
		'model-name': 'lightgbm-iris',
		'model-path': 'model',
		'endpoint-file': 'endpoint.yml',
		'deployment-file': 'deployment.yml',
		'smoke-test-file': 'smoke-test.json',
		'smoke-test-expect': readFileSync(join(EXAMPLE, 'smoke-test-expect.json'), 'utf8').trim(),
		traffic: '100',
	};
}
