// A child process that leads a process group of its own: started with one stream of output, ended as a whole.
// Nothing here knows of jobs or deployments.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a process group is started with. */
export interface GroupStart {
	file: string;
	args: string[];
	cwd: string;
	/** The whole environment of the process; nothing is inherited. */
	environment: Record<string, string>;
	/** Gets standard output and standard error, in the order in which they were written. */
	onOutput: (bytes: Buffer) => void;
}

/** How the leader of a group ended: by itself with a code, or by a signal. */
export interface GroupEnd {
	code: number | null;
	signal: NodeJS.Signals | null;
}

/** A running process group. */
export interface ProcessGroup {
	readonly pid: number;
	/** Resolves when the leader is gone, its output is read and no member is left; rejects when it could not start. */
	readonly ended: Promise<GroupEnd>;
	/** Stops reading the output until `resume`, so that a chatty process waits instead of filling the memory. */
	pause(): void;
	resume(): void;
	/** Sends SIGTERM to every member, and SIGKILL to those still there after `graceMs` milliseconds. */
	terminate(graceMs: number): Promise<void>;
}

/** How long, in milliseconds, output may still come after the leader has ended (`> >(tee log)` needs a moment). */
const OUTPUT_GRACE_MS = 300;
const POLL_MS = 20;

/** Starts a process as the leader of a new group that also dies when this process dies, however that happens. */
export function startGroup(start: GroupStart): ProcessGroup {
	// The shell joins both streams before the program starts: two pipes would lose the order in which they were written.
	const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', start.file, ...start.args], {
		cwd: start.cwd,
		env: start.environment,
		detached: true,
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const output = child.stdout as Readable;
	output.on('data', start.onOutput);
	const pid = child.pid ?? -1;
	const watchdog = pid > 0 ? startWatchdog(pid) : undefined;
	let terminating: Promise<void> | undefined;
	let over = false;
	const ended = endOf(child, output, () => terminating).finally(() => {
		over = true;
		watchdog?.kill('SIGKILL');
	});
	return {
		pid,
		ended,
		pause: () => void output.pause(),
		resume: () => void output.resume(),
		terminate: (graceMs) => {
			// The number of a group that is gone may belong to another one by now.
			terminating ??= over ? Promise.resolve() : terminateGroup(pid, graceMs);
			return terminating;
		},
	};
}

/**
 * Kills the group when the pipe from this process closes. A detached group gets no signal when its starter crashes, so
 * somebody has to notice.
 */
function startWatchdog(pid: number): ChildProcess {
	const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -s KILL -- "-$0"', String(pid)], {
		detached: true,
		env: { PATH: '/usr/bin:/bin' },
		stdio: ['pipe', 'ignore', 'ignore'],
	});
	watchdog.on('error', () => {});
	watchdog.stdin?.on('error', () => {});
	watchdog.unref();
	return watchdog;
}

async function endOf(
	child: ChildProcess,
	output: Readable,
	terminating: () => Promise<void> | undefined,
): Promise<GroupEnd> {
	const outputEnded = new Promise<void>((resolve) => void output.once('close', resolve));
	const end = await new Promise<GroupEnd>((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', (code, signal) => resolve({ code, signal }));
	});
	await withinTime(outputEnded, OUTPUT_GRACE_MS);
	// A group that is being terminated keeps the time it was promised; otherwise what is left of it goes now.
	await terminating();
	signalGroup(child.pid ?? -1, 'SIGKILL');
	await withinTime(outputEnded, OUTPUT_GRACE_MS);
	// A member that left the group may hold the pipe for ever.
	output.destroy();
	return end;
}

async function terminateGroup(pid: number, graceMs: number): Promise<void> {
	signalGroup(pid, 'SIGTERM');
	const deadline = performance.now() + graceMs;
	while (signalGroup(pid, 0)) {
		if (performance.now() >= deadline) {
			signalGroup(pid, 'SIGKILL');
			return;
		}
		await pause(POLL_MS);
	}
}

/** Signals every member; false when there is none. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
	if (pid <= 1) return false;
	try {
		process.kill(-pid, signal);
		return true;
	} catch {
		return false;
	}
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

async function withinTime(work: Promise<void>, ms: number): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms);
	});
	await Promise.race([work, late]);
	clearTimeout(timer);
}
