// MLflow's search language over runs: `metrics.rmse < 1 and tags.team = 'a'`, and `metrics.rmse DESC`.

import type { Run } from '../runs.ts';
import { invalid, latestPoint, mlflowStatus, tagsOf } from './wire.ts';

type Value = string | number | undefined;
type Condition = (run: Run) => boolean;

const TOKEN = /\s*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|(>=|<=|!=|=|<|>|\(|\)|,)|([^\s'"`<>=!(),]+))/gy;
const COMPARISONS: Record<string, (a: string | number, b: string | number) => boolean> = {
	'=': (a, b) => a === b,
	'!=': (a, b) => a !== b,
	'>': (a, b) => a > b,
	'>=': (a, b) => a >= b,
	'<': (a, b) => a < b,
	'<=': (a, b) => a <= b,
	LIKE: (a, b) => pattern(String(b), '').test(String(a)),
	ILIKE: (a, b) => pattern(String(b), 'i').test(String(a)),
};

/** What the filter of a `runs/search` asks for. Throws an MLflow error for a filter it cannot read. */
export function runFilter(filter: string): (run: Run) => boolean {
	const reader = new Reader(filter);
	const conditions: Condition[] = [];
	while (!reader.atEnd()) {
		if (conditions.length > 0) reader.expect('AND');
		conditions.push(condition(reader));
	}
	return (run) => conditions.every((one) => one(run));
}

/** Compares two runs by one `order_by` clause, e.g. `metrics.accuracy DESC`; runs without the value come last. */
export function runOrder(clause: string): (a: Run, b: Run) => number {
	const [, key, direction] = /^\s*(.*?)(?:\s+(asc|desc))?\s*$/is.exec(clause) ?? [];
	const read = reading(new Reader(key ?? '').name());
	const sign = direction?.toLowerCase() === 'desc' ? -1 : 1;
	return (a, b) => {
		const [left, right] = [read(a), read(b)];
		if (left === right) return 0;
		if (left === undefined) return 1;
		if (right === undefined) return -1;
		return left < right ? -sign : sign;
	};
}

function condition(reader: Reader): Condition {
	const read = reading(reader.name());
	const operator = reader.word().toUpperCase();
	if (operator === 'IN') return oneOf(read, reader.list());
	if (operator === 'NOT') {
		reader.expect('IN');
		const among = oneOf(read, reader.list());
		return (run) => read(run) !== undefined && !among(run);
	}
	const compare = COMPARISONS[operator];
	if (compare === undefined) throw invalid(`Invalid comparator '${operator}' in the filter.`);
	const expected = reader.value();
	return (run) => {
		const actual = read(run);
		return actual !== undefined && compare(actual, typeof actual === 'number' ? Number(expected) : expected);
	};
}

function oneOf(read: (run: Run) => Value, values: string[]): Condition {
	return (run) => {
		const actual = read(run);
		return actual !== undefined && values.includes(String(actual));
	};
}

/** How the value of a name like `metrics.rmse` is read from a run. */
function reading(name: string): (run: Run) => Value {
	const [, kind = 'attribute', key = name] =
		/^(metrics?|params?|parameters?|tags?|attributes?|attr|run)\.(.+)$/is.exec(name) ?? [];
	const unquoted = key.replace(/^(["`])(.*)\1$/s, '$2');
	const first = kind.toLowerCase();
	if (first.startsWith('metric')) return (run) => latestPoint(run.metrics[unquoted] ?? [])?.value;
	if (first.startsWith('param')) return (run) => run.params[unquoted];
	if (first.startsWith('tag')) return (run) => tagsOf(run)[unquoted];
	const attribute = ATTRIBUTES[unquoted.toLowerCase()];
	if (attribute === undefined) throw invalid(`Invalid attribute key '${unquoted}' in the filter.`);
	return attribute;
}

const ATTRIBUTES: Record<string, (run: Run) => Value> = {
	run_id: (run) => run.runId,
	run_name: (run) => run.displayName,
	status: (run) => mlflowStatus(run.status),
	start_time: (run) => run.startedAt ?? run.createdAt,
	created: (run) => run.createdAt,
	end_time: (run) => run.endedAt,
	artifact_uri: (run) => run.artifactsUri,
	experiment_id: (run) => run.experimentId,
	user_id: () => '',
};
ATTRIBUTES['run name'] = ATTRIBUTES['run_name'] as (run: Run) => Value;

function pattern(like: string, flags: string): RegExp {
	const parts = like.split(/([%_])/).map((part) => {
		if (part === '%') return '.*';
		return part === '_' ? '.' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	});
	return new RegExp(`^${parts.join('')}$`, `s${flags}`);
}

/** Walks the words of a filter. */
class Reader {
	readonly #tokens: { text: string; quoted: boolean }[] = [];
	#next = 0;

	constructor(filter: string) {
		const trimmed = filter.trim();
		TOKEN.lastIndex = 0;
		while (TOKEN.lastIndex < trimmed.length) {
			const match = TOKEN.exec(trimmed);
			if (match === null) throw invalid(`Invalid filter '${filter}'.`);
			const quoted = match[1] ?? match[2] ?? match[3];
			const text = quoted ?? match[4] ?? match[5] ?? '';
			const before = this.#tokens.at(-1);
			// tags."a b" is one name, as is tags.`a b`.
			if (quoted !== undefined && before?.text.endsWith('.') && !before.quoted) before.text += text;
			else this.#tokens.push({ text, quoted: quoted !== undefined });
		}
	}

	atEnd(): boolean {
		return this.#next >= this.#tokens.length;
	}

	name(): string {
		return this.#take().text;
	}

	word(): string {
		return this.#take().text;
	}

	value(): string {
		return this.#take().text;
	}

	expect(word: string): void {
		const { text, quoted } = this.#take();
		if (quoted || text.toUpperCase() !== word) throw invalid(`Invalid filter: expected ${word} but found '${text}'.`);
	}

	list(): string[] {
		this.expect('(');
		const values: string[] = [];
		for (;;) {
			values.push(this.value());
			const { text } = this.#take();
			if (text === ')') return values;
			if (text !== ',') throw invalid(`Invalid filter: expected , or ) but found '${text}'.`);
		}
	}

	#take(): { text: string; quoted: boolean } {
		const token = this.#tokens[this.#next];
		if (token === undefined) throw invalid('Invalid filter: it ends too early.');
		this.#next += 1;
		return token;
	}
}
