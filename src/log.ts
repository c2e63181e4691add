// The workflow log: what is printed, and how nothing in it can act as a command of the runner or show a secret.
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as core from '@actions/core';
import type { Place } from './errors.ts';
import type { Secrets } from './secrets.ts';

/** Where the run tells what it does. Every text is redacted, and no text can act as a workflow command. */
export interface Log {
	/** A line (or several) of ours. */
	info(text: string): void;
	/** A line that shows only when the workflow is debugged. */
	debug(text: string): void;
	/** Text from outside (a training log, a service), printed as it is but for what could act on the runner. */
	foreign(text: string): void;
	notice(text: string, where?: Place): void;
	warning(text: string, where?: Place): void;
	error(text: string, where?: Place): void;
	group(title: string): void;
	endGroup(): void;
	/** Registers a secret with us and with the runner. */
	mask(value: string): void;
	/** A text without what must not be shown, for whoever is going to divide it: each part would look harmless. */
	readonly clean?: (text: string) => string;
	/** How many characters at the end of a text are not to be shown before what follows is known. */
	readonly held?: (text: string) => number;
	/** Resolves once what was printed has been taken; whoever prints much waits for it in between. */
	readonly ready?: () => Promise<void>;
	/** Says how many annotations there would be more, at the end of the step. */
	readonly end?: () => void;
}

/**
 * GitHub shows ten annotations of each kind per step. The rest must not be lost, so it goes into the log as lines, and the
 * last of the ten says how many they are.
 */
const MOST_ANNOTATIONS = 9;
/** The runner cuts an annotation's message here. */
const LONGEST_ANNOTATION = 4096;

const ANNOTATE = { notice: core.notice, warning: core.warning, error: core.error };

/**
 * The log as GitHub's runner reads it.
 * @param write takes whole lines; standard output in a real run. `false` says that it has taken all it can for now
 * @param drained resolves when `write` can take more
 */
export function createGitHubLog(
	secrets: Secrets,
	write: (text: string) => unknown,
	drained: () => Promise<unknown> = () => once(process.stdout, 'drain'),
): Log {
	const shown = { notice: 0, warning: 0, error: 0 };
	let full: Promise<void> | undefined;
	// What is not shown goes first: it could stand in the middle of a secret.
	const clean = (text: string): string => secrets.redact(withoutControls(text));
	const harmless = (text: string): string => {
		// Most texts have nothing to take out, and need no second search for what is odd in them.
		if (search(ODD, text, 0) < 0) return neutralisePlain(secrets.redact(text));
		const printable = withoutControls(text);
		const shown = secrets.redact(printable);
		// A secret that ended within an escape sequence has left the rest of it.
		return shown === printable ? neutralisePrintable(shown) : neutralise(shown);
	};
	const print = (text: string): void => {
		if (write(`${harmless(text)}\n`) !== false || full !== undefined) return;
		// Asked for at once: a drain that came before anybody waited would never come again.
		const goOn = (): void => {
			full = undefined;
		};
		full = drained().then(goOn, goOn);
	};
	const annotate = (kind: 'notice' | 'warning' | 'error', text: string, where?: Place): void => {
		shown[kind] += 1;
		const told = secrets.redact(text);
		if (shown[kind] > MOST_ANNOTATIONS) {
			print(`${kind}: ${placeOf(where)}${told}`);
			return;
		}
		const message = told.length > LONGEST_ANNOTATION ? `${told.slice(0, LONGEST_ANNOTATION - 1)}…` : told;
		ANNOTATE[kind](message, annotationOf(where));
		if (message !== told) print(told);
	};
	return {
		info: print,
		foreign: print,
		debug: (text) => core.debug(secrets.redact(text)),
		notice: (text, where) => annotate('notice', text, where),
		warning: (text, where) => annotate('warning', text, where),
		error: (text, where) => annotate('error', text, where),
		end: () => {
			for (const kind of ['notice', 'warning', 'error'] as const) {
				const more = shown[kind] - MOST_ANNOTATIONS;
				if (more > 0) ANNOTATE[kind](`… and ${more} more ${more === 1 ? kind : `${kind}s`}: see the log of this step.`);
				shown[kind] = Math.min(shown[kind], MOST_ANNOTATIONS);
			}
		},
		group: (title) => core.startGroup(harmless(title).replaceAll('\n', ' ')),
		endGroup: () => core.endGroup(),
		mask: (value) => {
			secrets.add(value);
			for (const line of value.split(/\r?\n/)) if (line.trim().length > 3) core.setSecret(line.trim());
		},
		clean,
		held: (text) => secrets.held(text),
		// What was written is let go of, and signals are heard, between two turns of the process only.
		ready: () => full ?? nextTurn(),
	};
}

function placeOf(where: Place | undefined): string {
	if (where === undefined) return '';
	return where.line === undefined ? `${where.file}: ` : `${where.file}:${where.line}: `;
}

function annotationOf(where: Place | undefined): core.AnnotationProperties {
	if (where === undefined) return {};
	return {
		file: where.file,
		...(where.line === undefined ? {} : { startLine: where.line }),
		...(where.column === undefined ? {} : { startColumn: where.column }),
	};
}

/** What begins an escape sequence, and control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
const ESCAPE =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
	/\u001b\[[0-9;:]*m|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[[(][0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?|\u009b[0-?]*[ -/]*[@-~]?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const COLOUR = /\u001b\[[0-9;:]*m/y;

/** What the runner takes for the end of a line, beside a line feed. */
const LINE_END = /\r\n|[\r\u2028\u2029]/g;

/**
 * The runner compares by the rules of its language, to which characters without a look of their own may be as nothing. So
 * they count for nothing here, wherever they stand in the beginning of a command.
 */
const UNSEEN = '\\p{Default_Ignorable_Code_Point}\\p{Cf}\\u001b';
const NEW_COMMAND = new RegExp(`^([\\s${UNSEEN}]*)(\\\\*:[${UNSEEN}]*:)`, 'u');
const OLD_COMMAND = new RegExp(`#([\\\\${UNSEEN}]*#[${UNSEEN}]*\\[)`, 'gu');

/** Any character that is not known to be seen for what it is: most letters and signs of logs are. */
export const ODD =
	/[^\t\n -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u2010-\u2027\u2030-\u205e\u20a0-\u2bff\u3001-\u312f\u3400-\u9fff\uac00-\ud7a3]/g;

/**
 * Text that the runner takes for plain lines. It reads a lone `\r` as the end of a line, honours `::command::` at the start
 * of a line (after any white space) and `##[command]` anywhere in it; a backslash put before the second part takes
 * that away, stays visible and can be undone: `::` becomes `\::` and `##[` becomes `#\#[`, with one backslash more
 * where there are some already.
 */
export function neutralise(text: string): string {
	return neutralisePrintable(withoutControls(text));
}

/** Colour and weight stay; every other escape sequence (cursor, title, link) goes, and so does every control character. */
function withoutControls(text: string): string {
	let shown = '';
	let from = 0;
	for (let found = search(CONTROL, text, 0); found >= 0; found = search(CONTROL, text, from)) {
		ESCAPE.lastIndex = found;
		const end = ESCAPE.test(text) ? ESCAPE.lastIndex : found + 1;
		COLOUR.lastIndex = found;
		shown += text.slice(from, COLOUR.test(text) ? end : found);
		from = end;
	}
	return from === 0 ? text : shown + text.slice(from);
}

/** Most of a log is lines without an odd character: they are searched together, each other line by itself. */
function neutralisePrintable(text: string): string {
	const lines = text.includes('\r') || text.includes('\u2028') || text.includes('\u2029') ? withLineFeeds(text) : text;
	let shown = '';
	let from = 0;
	for (let found = search(ODD, lines, 0); found >= 0; found = search(ODD, lines, from)) {
		const start = lineStart(lines, found);
		const end = lineEnd(lines, found);
		shown += neutralisePlain(lines.slice(from, start)) + neutraliseLine(lines.slice(start, end));
		from = end;
	}
	return from === 0 ? neutralisePlain(lines) : shown + neutralisePlain(lines.slice(from));
}

function withLineFeeds(text: string): string {
	return text.replace(LINE_END, '\n');
}

function neutraliseLine(line: string): string {
	return line.replace(NEW_COMMAND, '$1\\$2').replace(OLD_COMMAND, '#\\$1');
}

/** Does to lines without odd characters what `neutraliseLine` does to each. */
function neutralisePlain(lines: string): string {
	let shown = '';
	let done = 0;
	let from = 0;
	for (let found = lines.indexOf('::'); found >= 0; found = lines.indexOf('::', from)) {
		let start = found;
		while (lines[start - 1] === '\\') start -= 1;
		const isFirst = /^[ \t]*$/.test(lines.slice(Math.max(done, lineStart(lines, found)), start));
		if (isFirst) {
			shown += `${lines.slice(done, start)}\\`;
			done = start;
		}
		// Whatever else the line holds does not stand at its beginning.
		from = lineEnd(lines, found);
	}
	const escaped = done === 0 && shown === '' ? lines : shown + lines.slice(done);
	return escaped.includes('#[') ? escaped.replace(OLD_COMMAND, '#\\$1') : escaped;
}

function search(pattern: RegExp, text: string, from: number): number {
	pattern.lastIndex = from;
	return pattern.test(text) ? pattern.lastIndex - 1 : -1;
}

function lineStart(text: string, place: number): number {
	return place === 0 ? 0 : text.lastIndexOf('\n', place - 1) + 1;
}

function lineEnd(text: string, place: number): number {
	const end = text.indexOf('\n', place);
	return end < 0 ? text.length : end;
}
