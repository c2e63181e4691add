// `path.to.field=value` overrides on a file that was read, as `az ml … --set` has them: on the tree, before any check.
import { type Fault, FileError, type Place } from '../errors.ts';
import { loadYaml } from './load.ts';
import type { ListNode, MapNode, ScalarNode, YamlFile, YamlNode } from './node.ts';

type Step = { readonly form: 'key'; readonly key: string } | { readonly form: 'index'; readonly index: number };

interface Override {
	readonly written: string;
	readonly steps: readonly Step[];
	readonly value: string;
}

/**
 * Gives the file with each override applied, in order. A path is `a.b[0].c`, a dot in a key is written `\.`; what is
 * missing on the way is made. A value is text, as the CLI passes it (numbers and booleans are taken from text where the
 * field wants them), except one that starts with `[` or `{`: that is JSON or YAML flow style. Throws a `FileError`
 * that names every override which cannot be applied.
 */
export function applySet(file: YamlFile, lines: readonly string[]): YamlFile {
	const faults: Fault[] = [];
	const where: Place = { file: file.path };
	let root = file.root;
	for (const line of lines) {
		const override = parse(line);
		const changed = typeof override === 'string' ? override : apply(root, override, where);
		if (typeof changed === 'string') {
			faults.push({ message: changed, where });
		} else {
			root = changed;
		}
	}
	if (faults.length > 0) {
		throw new FileError(file.path, faults);
	}
	return { ...file, root };
}

function parse(line: string): Override | string {
	const equals = line.indexOf('=');
	if (equals < 1) {
		return `The override '${line}' has no '='. Write path.to.field=value.`;
	}
	const written = line.slice(0, equals).trim();
	const steps = parsePath(written);
	if (steps === undefined) {
		return `set: '${written}' is not the path of a field. Write it as in inputs.epochs or jobs.train.inputs.lr or values[0].`;
	}
	return { written, steps, value: line.slice(equals + 1).trim() };
}

function parsePath(written: string): readonly Step[] | undefined {
	const token = /(?:^|\.)((?:\\.|[^.[\]\\=])+)|\[(\d+)\]/gy;
	const steps: Step[] = [];
	while (token.lastIndex < written.length) {
		const found = token.exec(written);
		if (found === null || (steps.length === 0 && found[1] === undefined)) {
			return undefined;
		}
		const key = found[1]?.replace(/\\(.)/g, '$1').trim();
		if (key !== undefined && (key === '' || key === '__proto__')) {
			return undefined;
		}
		steps.push(key === undefined ? { form: 'index', index: Number(found[2]) } : { form: 'key', key });
	}
	return steps.length === 0 ? undefined : steps;
}

function apply(root: MapNode, override: Override, at: Place): MapNode | string {
	let value: YamlNode;
	try {
		value = valueNode(override.value, at);
	} catch (error) {
		const why = error instanceof FileError ? error.faults.map((fault) => fault.message).join(' ') : String(error);
		return `The value of the override '${override.written}' cannot be read: ${why}`;
	}
	const changed = replace(root, override.steps, value, at);
	return typeof changed === 'string'
		? `The override '${override.written}' does not fit the file: ${changed}`
		: (changed as MapNode);
}

function valueNode(value: string, at: Place): YamlNode {
	if (!/^[[{]/.test(value) || /^\{\{/.test(value)) {
		return scalar(value, at);
	}
	const read = loadYaml(`value: ${value}`, at.file, '/').root.entries[0]?.value;
	return read === undefined ? scalar(value, at) : moved(read, at);
}

// Lines and columns of an override would point at wrong lines of the file.
function moved(node: YamlNode, at: Place): YamlNode {
	if (node.kind === 'map') {
		return { ...node, at, entries: node.entries.map((entry) => ({ ...entry, at, value: moved(entry.value, at) })) };
	}
	return node.kind === 'list' ? { ...node, at, items: node.items.map((item) => moved(item, at)) } : { ...node, at };
}

function scalar(text: string, at: Place): ScalarNode {
	return { kind: 'scalar', type: 'str', value: text, text, written: text, at };
}

function replace(node: YamlNode | undefined, steps: readonly Step[], value: YamlNode, at: Place): YamlNode | string {
	const [step, ...rest] = steps;
	if (step === undefined) {
		return value;
	}
	const empty = node === undefined || (node.kind === 'scalar' && node.type === 'null');
	if (step.form === 'key') {
		const map: YamlNode = empty ? { kind: 'map', entries: [], at } : node;
		// The CLI takes values.0 for values[0].
		if (map.kind === 'list' && /^\d+$/.test(step.key)) {
			return replaceItem(map, Number(step.key), rest, value, at);
		}
		return map.kind === 'map'
			? replaceKey(map, step.key, rest, value, at)
			: `before '${step.key}' stands ${map.kind === 'list' ? 'a list' : `the text '${map.text}'`}, which has no keys.`;
	}
	const list: YamlNode = empty ? { kind: 'list', items: [], at } : node;
	return list.kind === 'list'
		? replaceItem(list, step.index, rest, value, at)
		: `[${step.index}] stands where there is no list.`;
}

function replaceKey(map: MapNode, key: string, rest: readonly Step[], value: YamlNode, at: Place): MapNode | string {
	const old = map.entries.find((entry) => entry.key === key);
	const changed = replace(old?.value, rest, value, at);
	if (typeof changed === 'string') {
		return changed;
	}
	const entry = { key, at: old?.at ?? at, value: changed };
	const entries = old === undefined ? [...map.entries, entry] : map.entries.map((one) => (one === old ? entry : one));
	return { ...map, entries };
}

function replaceItem(
	list: ListNode,
	index: number,
	rest: readonly Step[],
	value: YamlNode,
	at: Place,
): ListNode | string {
	if (index > list.items.length) {
		return `the list has ${list.items.length} items, so there is no [${index}].`;
	}
	const changed = replace(list.items[index], rest, value, at);
	return typeof changed === 'string' ? changed : { ...list, items: list.items.toSpliced(index, 1, changed) };
}
