// Standard output of an action, read as GitHub's runner reads it: which lines are commands, and which are shown.
import { commandOf, runnerLines } from '../fixtures/runner-commands.ts';

/** What the runner makes of one line. `properties` and `message` are unescaped. */
export type LogLine =
	| { readonly kind: 'text'; readonly text: string }
	| {
			readonly kind: 'command';
			readonly command: string;
			readonly properties: Readonly<Record<string, string>>;
			readonly message: string;
	  };

/** An annotation that the runner would show at a file, or at the run as a whole. */
export interface Annotation {
	readonly level: 'error' | 'warning' | 'notice';
	readonly message: string;
	readonly file: string | undefined;
	readonly line: number | undefined;
	readonly column: number | undefined;
}

/** Reads one line, without its line end. */
export function readLine(line: string): LogLine {
	const command = commandOf(line);
	if (command === undefined) return { kind: 'text', text: line };
	return { kind: 'command', command: command.name, properties: command.properties, message: command.data };
}

/** Reads everything that was printed; a lone carriage return ends a line, as it does for the runner. */
export function readLog(stdout: string): LogLine[] {
	return runnerLines(stdout)
		.filter((line) => line !== '')
		.map(readLine);
}

/** The lines that people see: everything but the commands. */
export function shownLines(stdout: string): string[] {
	return readLog(stdout).flatMap((line) => (line.kind === 'text' ? [line.text] : []));
}

/** The annotations, in order. */
export function annotationsOf(stdout: string): Annotation[] {
	return readLog(stdout).flatMap((line): Annotation[] => {
		if (line.kind === 'text') return [];
		const { command: level, message, properties } = line;
		if (level !== 'error' && level !== 'warning' && level !== 'notice') return [];
		const { file, line: row, col } = properties;
		return [{ level, message, file, line: numberOf(row), column: numberOf(col) }];
	});
}

/** The errors alone, as texts. */
export function errorsOf(stdout: string): string[] {
	return annotationsOf(stdout).flatMap(({ level, message }) => (level === 'error' ? [message] : []));
}

/** What the action asked the runner to mask. */
export function masksOf(stdout: string): string[] {
	return readLog(stdout).flatMap((line) =>
		line.kind === 'command' && line.command === 'add-mask' ? [line.message] : [],
	);
}

/** Everything that was printed but for the commands that register masks: no secret may be in it. */
export function withoutMasks(stdout: string): string {
	return stdout
		.split(/\r\n|\n|\r/)
		.filter((line) => !/^\s*::add-mask::/.test(line))
		.join('\n');
}

function numberOf(text: string | undefined): number | undefined {
	return text === undefined ? undefined : Number(text);
}
