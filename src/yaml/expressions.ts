// Expressions `${{…}}` in commands: finding them, and checking that the names in them are declared.
import type { Place } from '../errors.ts';
import { asText, type Reading } from './checks.ts';
import { nearest } from './nearest.ts';
import type { YamlNode } from './node.ts';

/** One expression: its parts (`inputs.x` is `['inputs', 'x']`) and its place within the text. */
export interface Expression {
	readonly text: string;
	readonly path: readonly string[];
	readonly start: number;
	readonly end: number;
}

/** The names that a command may refer to. */
export interface Declared {
	readonly inputs: Iterable<string>;
	readonly outputs: Iterable<string>;
	/** Inputs that may be absent; they must stand inside `$[[…]]`. */
	readonly optional?: Iterable<string>;
	/** Parameters of a sweep's search space. */
	readonly searchSpace?: Iterable<string>;
	/** Whether `{inputs.x}` is sent as `${{inputs.x}}`, as the CLI does in command and sweep jobs, and there only. */
	readonly singleBraces?: boolean;
}

/** All `${{…}}` of a text, in order. */
export function findExpressions(text: string): readonly Expression[] {
	return spans(text, '${{', '}}').map(({ start, end }) => ({
		text: text.slice(start, end),
		path: text
			.slice(start + 3, end - 2)
			.split('.')
			.map((part) => part.trim()),
		start,
		end,
	}));
}

/** Where a text has `open` and the next `close` behind it. By searching, as a pattern would look to the end for each `open`. */
function spans(text: string, open: string, close: string): { readonly start: number; readonly end: number }[] {
	const found: { start: number; end: number }[] = [];
	for (let start = text.indexOf(open); start >= 0; ) {
		const closed = text.indexOf(close, start + open.length);
		if (closed < 0) break;
		const end = closed + close.length;
		found.push({ start, end });
		start = text.indexOf(open, end);
	}
	return found;
}

/** Whether a text is one expression and nothing else; gives its parts if so. */
export function wholeExpression(text: string): readonly string[] | undefined {
	const [first, ...rest] = findExpressions(text.trim());
	return first !== undefined && rest.length === 0 && first.text === text.trim() ? first.path : undefined;
}

const SINGLE_BRACES = /(?<!\{)\{(inputs|outputs|search_space)\.([^}]*)\}(?!\})/g;

/** A command with `{inputs.x}`, the older way to write an expression, in the newer way: `${{inputs.x}}`. */
export function withDoubleBraces(command: string): string {
	return command.replace(SINGLE_BRACES, '$${{$1.$2}}');
}

/** Notes a fault for each expression of a command that names something undeclared, and warns of likely slips. */
export function checkCommand(node: YamlNode | undefined, declared: Declared, reading: Reading): void {
	const written = asText(node);
	if (written === undefined) {
		return;
	}
	const single = declared.singleBraces === true;
	const command = { at: written.at, text: single ? withDoubleBraces(written.text) : written.text };
	const sections = sectionsOf(declared);
	const optional = new Set(declared.optional ?? []);
	const brackets = spans(command.text, '$[[', ']]');
	for (const expression of findExpressions(command.text)) {
		const [section = '', name = ''] = expression.path;
		checkName(expression, sections, command.at, reading);
		const inside = brackets.some(({ start, end }) => expression.start >= start && expression.end <= end);
		if (section === 'inputs' && optional.has(name) && !inside) {
			reading.fault(
				command.at,
				`The input '${name}' is optional, so in the command it must stand inside $[[…]]: $[[--${name} ${expression.text}]].`,
			);
		}
	}
	tellSlips(written.text, sections, single, command.at, reading);
}

function sectionsOf(declared: Declared): ReadonlyMap<string, ReadonlySet<string>> {
	const sections = new Map<string, ReadonlySet<string>>([
		['inputs', new Set(declared.inputs)],
		['outputs', new Set(declared.outputs)],
	]);
	if (declared.searchSpace !== undefined) {
		sections.set('search_space', new Set(declared.searchSpace));
	}
	return sections;
}

function checkName(
	expression: Expression,
	sections: ReadonlyMap<string, ReadonlySet<string>>,
	at: Place,
	reading: Reading,
): void {
	const [section = '', ...rest] = expression.path;
	const names = sections.get(section);
	if (names === undefined) {
		const known = ['inputs', 'outputs', 'search_space'];
		const guess = known.includes(section) ? undefined : nearest(section, known);
		if (guess !== undefined || known.includes(section)) {
			const hint = guess === undefined ? 'Only a sweep job has a search space.' : `Did you mean '${guess}'?`;
			reading.fault(at, `The command refers to ${expression.text}, and this job has no '${section}'. ${hint}`);
		}
		return;
	}
	const name = rest.join('.');
	if (!names.has(name) && !names.has(rest[0] ?? '')) {
		const guess = nearest(name, names);
		const hint = guess === undefined ? `Declare it under '${section}'.` : `Did you mean '${guess}'?`;
		reading.fault(
			at,
			`The command refers to ${expression.text}, but '${name}' is not declared under '${section}'. ${hint}`,
		);
	}
}

// What is nearly an expression is passed on as it stands, which is not what was meant where the name is declared.
function tellSlips(
	text: string,
	sections: ReadonlyMap<string, ReadonlySet<string>>,
	single: boolean,
	at: Place,
	reading: Reading,
): void {
	for (const match of text.matchAll(/(?<!\{)\$?\{\{?\s*(inputs|outputs|search_space)\.([\w.]+)\s*\}\}?/g)) {
		const [slip, section = '', name = ''] = match;
		const names = sections.get(section);
		if (/^\$\{\{.*\}\}$/s.test(slip) || names === undefined) {
			continue;
		}
		const right = `\${{${section}.${name}}}`;
		if (single && /^\{[^{].*[^}]\}$/.test(slip)) {
			reading.warn(at, `'${slip}' is an older way to write ${right} and is sent as that.`);
		} else if (names.has(name)) {
			reading.fault(at, `'${slip}' is not an expression, so the command would get it as it stands. Write ${right}.`);
		} else {
			reading.warn(
				at,
				`'${slip}' is not an expression and is passed on as it stands. An expression is written ${right}.`,
			);
		}
	}
}
