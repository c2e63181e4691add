// What a run of the action has left behind it in the emulated workspace and on this machine.
import type { Site } from './site.ts';

/** The job's state once it has ended, or after ten seconds; undefined where there is no job of that name. */
export async function finalState(site: Site, name: string): Promise<string | undefined> {
	const state = (): string | undefined => site.emulator.jobs().find((job) => job.name === name)?.status;
	for (let turn = 0; turn < 200 && /^(?!Canceled|Completed|Failed)/.test(state() ?? 'Failed'); turn += 1)
		await new Promise((resolve) => setTimeout(resolve, 50));
	return state();
}

/** Whether there is a process of this id. */
export function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
