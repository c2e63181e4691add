// The families of failure and the one shape of message they share. Nothing here knows how a failure is shown.

/** A place in a file of the user's: `file` relative to the workspace folder, `line` and `column` from 1. */
export interface Place {
	readonly file: string;
	readonly line?: number;
	readonly column?: number;
}

/** The parts of a message. `what` is a sentence; `why` and `next` are said where they are known. */
export interface Failure {
	/** What happened, as one sentence. */
	readonly what: string;
	/** Why it happened, as far as we know. */
	readonly why?: string | undefined;
	/** What the user can do next. */
	readonly next?: string | undefined;
	/** Where in the user's files the cause stands. */
	readonly where?: Place | undefined;
	/** The error that led to this one. */
	readonly cause?: unknown;
}

/**
 * A failure that we foresaw and can explain. Anything that is thrown and is not an `ActionError` is a bug of ours.
 * `message` is the whole text: what happened, why, what to do next.
 */
export class ActionError extends Error {
	override readonly name: string = 'ActionError';
	readonly what: string;
	readonly why: string | undefined;
	readonly next: string | undefined;
	readonly where: Place | undefined;

	constructor(failure: Failure) {
		super(sentenceOf(failure), { cause: failure.cause });
		this.what = failure.what;
		this.why = failure.why;
		this.next = failure.next;
		this.where = failure.where;
	}
}

function sentenceOf({ what, why, next }: Failure): string {
	const parts = [what, why, next].map((part) => part?.trim() ?? '').filter((part) => part !== '');
	// What a service says often has no stop at its end.
	return parts
		.map((part, place) => (place < parts.length - 1 && /[\p{L}\p{N}'")\]]$/u.test(part) ? `${part}.` : part))
		.join(' ');
}

/** One fault among several of the inputs or of a file. */
export interface Fault {
	readonly message: string;
	readonly where?: Place | undefined;
}

/** The inputs of the step are wrong. Holds every fault that was found, so that none is found one run later. */
export class InputError extends ActionError {
	override readonly name: string = 'InputError';
	readonly faults: readonly Fault[];

	constructor(faults: readonly Fault[]) {
		super({
			what: faults.length === 1 ? 'An input is wrong.' : `${faults.length} inputs are wrong.`,
			why: faults.map((fault) => fault.message).join(' '),
			next: 'Correct them under `with:` in the workflow; nothing was sent to Azure.',
		});
		this.faults = faults;
	}
}

/** A file of the user's cannot be taken as it is. Holds every fault with its line. */
export class FileError extends ActionError {
	override readonly name: string = 'FileError';
	readonly file: string;
	readonly faults: readonly Fault[];

	constructor(file: string, faults: readonly Fault[]) {
		super({
			what: whatIsWrong(file, faults),
			why: faults.map((fault) => `${placeText(fault.where, file)}${fault.message}`).join(' '),
			where: faults[0]?.where ?? { file },
		});
		this.file = file;
		this.faults = faults;
	}
}

function whatIsWrong(file: string, faults: readonly Fault[]): string {
	const files = new Set(faults.map(({ where }) => where?.file ?? file));
	if (files.size > 1) return `${files.size} files have ${faults.length} faults.`;
	const [only = file] = files;
	return faults.length === 1 ? `${only} has a fault.` : `${only} has ${faults.length} faults.`;
}

function placeText(where: Place | undefined, file: string): string {
	if (where === undefined || (where.file === file && where.line === undefined)) return '';
	// The faults of one file may have their cause in another.
	if (where.file !== file) return where.line === undefined ? `${where.file}: ` : `${where.file}:${where.line}: `;
	return `Line ${where.line}: `;
}

/** No token could be had. */
export class SignInError extends ActionError {
	override readonly name: string = 'SignInError';
}

/** What the resource manager or a data-plane service said when it refused a request. */
export interface ServiceAnswer {
	/** HTTP status. */
	readonly status: number;
	/** The most telling code of the error body: the deepest inner error's, else the outer one's. */
	readonly code?: string | undefined;
	readonly requestId?: string | undefined;
	readonly correlationId?: string | undefined;
}

/** Azure refused a request, or never answered it properly. */
export class ServiceError extends ActionError {
	override readonly name: string = 'ServiceError';
	readonly status: number;
	readonly code: string | undefined;

	constructor(failure: Failure, answer: ServiceAnswer) {
		super(failure);
		this.status = answer.status;
		this.code = answer.code;
	}
}

/** A file could not be sent to or fetched from storage. */
export class TransferError extends ActionError {
	override readonly name: string = 'TransferError';
}

/** A job ended otherwise than `Completed`. */
export class JobError extends ActionError {
	override readonly name: string = 'JobError';
	/** The job's state, e.g. `Failed`. */
	readonly status: string;
	/** The last lines of the log, oldest first. */
	readonly lastLines: readonly string[];

	constructor(failure: Failure, status: string, lastLines: readonly string[]) {
		super(failure);
		this.status = status;
		this.lastLines = lastLines;
	}
}

/** The metrics of a job did not pass the gates. */
export class GateError extends ActionError {
	override readonly name: string = 'GateError';
}

/** What there is after a rollout that failed. */
export interface LeftOfRollout {
	readonly endpointName: string;
	readonly scoringUri: string | undefined;
	/** Undefined where there is no such deployment (any more). */
	readonly deploymentName: string | undefined;
}

/** An endpoint or a deployment could not be brought into service. */
export class RolloutError extends ActionError {
	override readonly name: string = 'RolloutError';
	/** Whether the traffic was put back as it was before. */
	readonly rolledBack: boolean;
	/** The end of the container's log, where there was one. */
	readonly containerLog: string | undefined;

	/** The endpoint, and the deployment where it is left. */
	readonly left: LeftOfRollout | undefined;

	constructor(
		failure: Failure,
		outcome: { rolledBack: boolean; containerLog?: string | undefined; left?: LeftOfRollout | undefined },
	) {
		super(failure);
		this.rolledBack = outcome.rolledBack;
		this.containerLog = outcome.containerLog;
		this.left = outcome.left;
	}
}

/** The workflow was cancelled, or the time given by `timeout-minutes` is over. */
export class CancelledError extends ActionError {
	override readonly name: string = 'CancelledError';
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
