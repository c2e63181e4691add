// Evaluates `${{ … }}` by GitHub's own library, with the contexts and status functions of a step.
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** What expressions may name: `github`, `secrets`, `steps`, … */
export type Contexts = Readonly<Record<string, unknown>>;

const EXPRESSION = /\$\{\{(.*?)\}\}/gs;
const STATUS = /\b(success|failure|always|cancelled)\s*\(/;

/** The text with each expression replaced by what GitHub puts there. */
export function fill(text: string, contexts: Contexts): string {
	return text.replace(EXPRESSION, (_, inner: string) => evaluate(inner, contexts, false).coerceString());
}

/** Every text in a value, filled; the rest as it is. A text that is one expression keeps the type of its value. */
export function fillAll(value: unknown, contexts: Contexts): unknown {
	if (typeof value === 'string') {
		const [, whole] = /^\$\{\{((?:(?!\}\}).)*)\}\}$/s.exec(value.trim()) ?? [];
		if (whole === undefined) return fill(value, contexts);
		return JSON.parse(JSON.stringify(evaluate(whole, contexts, false), data.replacer));
	}
	if (Array.isArray(value)) return value.map((one) => fillAll(one, contexts));
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillAll(inner, contexts)]));
}

/** Whether an `if:` holds. One without a status function asks for success too, as GitHub has it. */
export function holds(condition: unknown, contexts: Contexts, failed: boolean): boolean {
	if (condition === undefined) return !failed;
	const text = String(condition).replace(/^\s*\$\{\{(.*)\}\}\s*$/s, '$1');
	const whole = STATUS.test(text) ? `!!(${text})` : `success() && !!(${text})`;
	return evaluate(whole, contexts, failed).coerceString() === 'true';
}

function evaluate(text: string, contexts: Contexts, failed: boolean): data.ExpressionData {
	const answers: Readonly<Record<string, boolean>> = {
		success: !failed,
		failure: failed,
		always: true,
		cancelled: false,
	};
	const functions = Object.entries(answers).map(([name, value]) => ({
		name,
		minArgs: 0,
		maxArgs: 0,
		call: () => new data.BooleanData(value),
	}));
	const { tokens } = new Lexer(text).lex();
	const expression = new Parser(tokens, Object.keys(contexts), functions).parse();
	const known = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
	return new Evaluator(expression, known, new Map(functions.map((one) => [one.name, one]))).evaluate();
}
