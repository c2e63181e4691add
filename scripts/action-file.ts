// action.yml as the scripts and tests read it: inputs with their sections, outputs, and what the runner starts.
// The action itself never reads this file; what a workflow may give it is checked in src/inputs.ts.
import { readFileSync } from 'node:fs';
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

/** One input of action.yml. `section` is the comment above it or above the nearest input before it. */
export interface ActionInput {
	readonly name: string;
	readonly section: string;
	readonly description: string;
	readonly default: string | undefined;
	readonly required: boolean;
}

/** One output of action.yml. */
export interface ActionOutput {
	readonly name: string;
	readonly description: string;
}

/** What the scripts use of action.yml, in the file's own order. */
export interface ActionFile {
	readonly inputs: readonly ActionInput[];
	readonly outputs: readonly ActionOutput[];
	/** `using`, `main`, `post` and the like; values as text. */
	readonly runs: Readonly<Record<string, string>>;
}

/** Reads an action.yml. Throws when it is not valid YAML or lacks one of the three maps. */
export function readActionFile(path: string): ActionFile {
	return parseActionFile(readFileSync(path, 'utf8'));
}

/** The same, from the file's text. */
export function parseActionFile(text: string): ActionFile {
	const document = parseDocument(text);
	const fault = document.errors[0];
	if (fault !== undefined) {
		throw new Error(`action.yml is not valid YAML: ${fault.message}`);
	}
	const mapOf = (key: string): YAMLMap => {
		const map = document.get(key);
		if (!isMap(map)) {
			throw new Error(`action.yml has no map "${key}".`);
		}
		return map;
	};
	return {
		inputs: inputsOf(mapOf('inputs')),
		outputs: fieldsOf(mapOf('outputs')).map(({ name, fields }) => ({ name, description: fields('description') ?? '' })),
		runs: Object.fromEntries(mapOf('runs').items.map(({ key, value }) => [textOf(key) ?? '', textOf(value) ?? ''])),
	};
}

function inputsOf(map: YAMLMap): ActionInput[] {
	let section = map.commentBefore?.trim() ?? '';
	return fieldsOf(map).map(({ name, comment, fields }) => {
		section = comment ?? section;
		return {
			name,
			section,
			description: fields('description') ?? '',
			default: fields('default'),
			required: fields('required') === 'true',
		};
	});
}

interface Entry {
	readonly name: string;
	readonly comment: string | undefined;
	readonly fields: (name: string) => string | undefined;
}

function fieldsOf(map: YAMLMap): Entry[] {
	return map.items.map(({ key, value }) => ({
		name: textOf(key) ?? '',
		comment: isScalar(key) ? key.commentBefore?.trim() : undefined,
		fields: (name) => (isMap(value) ? textOf(value.get(name, true)) : undefined),
	}));
}

function textOf(node: unknown): string | undefined {
	return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}
