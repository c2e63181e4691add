// The command of a job with its expressions filled in. Pure text: no files, no processes.

/** What the names in a command stand for: literals as their text, data as absolute paths. */
export interface CommandValues {
	inputs: Record<string, string>;
	outputs: Record<string, string>;
}

/** A command that names what the job does not have. */
export class CommandError extends Error {}

const OPTIONAL = /\$\[\[(.*?)\]\]/gs;
const EXPRESSION = /\$\{\{\s*([^}]*?)\s*\}\}/g;
const NAMED = /^(inputs|outputs)\.(.+)$/;

/**
 * Fills `${{inputs.x}}` and `${{outputs.x}}`, and keeps or drops each optional part `$[[ … ]]` by whether the inputs
 * that it names are there. Throws `CommandError` when the command names something else.
 */
export function fillCommand(command: string, values: CommandValues): string {
	const decided = command.replace(OPTIONAL, (_part, body: string) => (inputsGiven(body, values) ? body : ''));
	return decided.replace(EXPRESSION, (_whole, expression: string) => valueNamed(expression, values));
}

function inputsGiven(part: string, values: CommandValues): boolean {
	return [...part.matchAll(EXPRESSION)].every(([, expression]) => {
		const [, kind, name] = NAMED.exec(expression ?? '') ?? [];
		return kind !== 'inputs' || name === undefined || Object.hasOwn(values.inputs, name);
	});
}

function valueNamed(expression: string, values: CommandValues): string {
	const [, kind, name] = NAMED.exec(expression) ?? [];
	if (name === undefined || (kind !== 'inputs' && kind !== 'outputs')) {
		throw new CommandError(
			`The command holds the expression \${{${expression}}}, which a command job does not know. ` +
				'Use ${{inputs.<name>}} or ${{outputs.<name>}}.',
		);
	}
	const known = values[kind];
	const value = Object.hasOwn(known, name) ? known[name] : undefined;
	if (value === undefined) {
		throw new CommandError(
			`The command refers to \${{${kind}.${name}}}, but the job has no ${kind.slice(0, -1)} of that name. ` +
				`${names(known)} Correct the name, or add it under ${kind}.`,
		);
	}
	return value;
}

function names(known: Record<string, string>): string {
	const all = Object.keys(known);
	return all.length === 0 ? 'It has none.' : `It has: ${all.join(', ')}.`;
}
