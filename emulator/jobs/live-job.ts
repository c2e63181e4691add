// What every kind of running job has: an end, a way to cancel it, and what it needs of the emulator around it.

import type { ArmCall } from '../arm/call.ts';
import type { RunError } from '../execution.ts';
import type { TrackingKeys } from '../mlflow.ts';
import type { Platform } from '../platform.ts';
import { isTerminal, type Run } from '../runs.ts';
import type { Nodes } from './nodes.ts';

/** A job that runs, or did. */
export interface LiveJob {
	/** Resolves when the run is in a terminal state; never rejects. */
	done: Promise<void>;
	/** Asks the job to end, with everything below it. Safe to call at any time, more than once. */
	cancel(): void;
}

/** Where a job runs: the emulator, and the workspace of the request that started it. */
export interface JobScope {
	platform: Platform;
	/** They let a process reach the tracking server. */
	keys: TrackingKeys;
	nodes: Nodes;
	call: ArmCall;
}

/** Gives a run that is known to be there. Throws when it was removed meanwhile. */
export function runOf(scope: JobScope, runId: string): Run {
	const run = scope.platform.state.runs.get(runId);
	if (run) return run;
	throw new Error(`Run ${runId} was deleted while its job was running.`);
}

/** Moves a run to a state; a run that was asked to end shows that until it has. */
export function enterState(scope: JobScope, runId: string, state: string, error?: RunError): void {
	const { runs } = scope.platform.state;
	const before = runs.get(runId)?.status;
	if (before === undefined || (before === 'CancelRequested' && !isTerminal(state))) return;
	runs.changeState(runId, state, error);
}

/** Tells whether a run is over; one that was removed is. */
export function isOver(scope: JobScope, runId: string): boolean {
	return isTerminal(scope.platform.state.runs.get(runId)?.status ?? 'Canceled');
}
