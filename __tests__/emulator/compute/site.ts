// A JobSite that keeps blobs in a folder and remembers what was asked of it. For the tests of command jobs.

import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommandRun, JobSite, JobState, RunError } from '../../../emulator/execution.ts';

/** The site of one test; URIs `store:<path>` are paths below `root`. */
export class FolderSite implements JobSite {
	readonly root: string;
	readonly states: JobState[] = [];
	readonly appends: { path: string; text: string }[] = [];
	error: RunError | undefined;
	tracking: Record<string, string> = {};
	#expected: { path: string; text: string; found: () => void }[] = [];

	constructor(root: string) {
		this.root = root;
	}

	path(uri: string): string {
		return join(this.root, uri.replace(/^store:/, ''));
	}

	async fetch(uri: string, to: string): Promise<void> {
		try {
			await cp(this.path(uri), to, { recursive: true });
		} catch {
			throw new Error(`Nothing is stored at ${uri}.`);
		}
	}

	async store(from: string, uri: string): Promise<void> {
		await mkdir(dirname(this.path(uri)), { recursive: true });
		await cp(from, this.path(uri), { recursive: true });
	}

	async appendLog(path: string, bytes: Buffer): Promise<void> {
		this.appends.push({ path, text: bytes.toString('utf8') });
		for (const one of this.#expected) if (this.log(one.path).includes(one.text)) one.found();
	}

	trackingEnvironment(): Record<string, string> {
		return this.tracking;
	}

	changeState(state: JobState, error?: RunError): void {
		this.states.push(state);
		if (error) this.error = error;
	}

	log(path = 'user_logs/std_log.txt'): string {
		return this.appends.flatMap((one) => (one.path === path ? [one.text] : [])).join('');
	}

	/** Resolves when the standard log holds the text. */
	async printed(text: string): Promise<void> {
		if (this.log().includes(text)) return;
		await new Promise<void>((found) => this.#expected.push({ path: 'user_logs/std_log.txt', text, found }));
	}
}

/** A command job with the given parts and nothing else. */
export function commandRun(command: string, parts: Partial<CommandRun> = {}): CommandRun {
	return { name: 'calm_pea_1', command, inputs: {}, outputs: {}, environmentVariables: {}, ...parts };
}
