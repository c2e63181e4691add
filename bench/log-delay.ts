// How long it takes from a line that a training program writes to the line in the workflow log, by the real clock: the built
// action follows a job of the emulated workspace whose lines tell when they were written.
import { rmSync } from 'node:fs';
import { makeCheckout } from '../__tests__/e2e/checkout.ts';
import { runAction } from '../__tests__/e2e/runner.ts';
import { startEmulator } from '../emulator/emulator.ts';
import { mean } from './measure.ts';
import { sdkDelay, sdkLooks } from './sdk-schedule.ts';

/** What was measured, in milliseconds. */
export interface LogDelay {
	readonly mean: number;
	readonly longest: number;
	readonly lines: number;
	/** What the schedule of azure-ai-ml makes of lines written at the same ages of the job, however fast the network. */
	readonly scheduled: number;
}

/** Writes lines at odd distances, so that they keep no step with any interval. */
const PROGRAM = `import sys, time
end = time.time() + float(sys.argv[1])
while time.time() < end:
    print("written", int(time.time() * 1000), flush=True)
    time.sleep(0.37)
`;

/** Follows a job that writes for so many seconds. */
export async function logDelay(seconds: number): Promise<LogDelay> {
	const emulator = await startEmulator({ quiet: true });
	const checkout = makeCheckout({
		'src/train.py': PROGRAM,
		'job.yml': [
			'type: command',
			'code: src',
			`command: python train.py ${seconds}`,
			'environment: azureml:python-stdlib:1',
			'compute: azureml:cpu-cluster',
			'',
		].join('\n'),
	});
	try {
		const inputs = { ...emulator.inputs, 'job-file': 'job.yml' };
		const ran = await runAction({ inputs, checkout, env: emulator.env, limit: seconds * 1000 + 60_000 });
		const shown = ran.pieces.flatMap(({ at, text }) =>
			[...text.matchAll(/written (\d+)/g)].map((found) => ({ at, written: Number(found[1]) })),
		);
		if (ran.code !== 0 || shown.length === 0) throw new Error(`the job was not followed: ${ran.stdout.slice(-500)}`);
		const delays = shown.map(({ at, written }) => at - written);
		const start = shown[0]?.written ?? 0;
		const looks = sdkLooks(2 * seconds);
		const ages = shown.map(({ written }) => (written - start) / 1000);
		return {
			mean: mean(delays),
			longest: Math.max(...delays),
			lines: shown.length,
			scheduled: 1000 * mean(ages.map((age) => sdkDelay(age, looks))),
		};
	} finally {
		await emulator.stop();
		rmSync(checkout, { recursive: true, force: true });
	}
}
