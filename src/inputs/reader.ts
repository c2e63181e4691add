// Reads single inputs, each by its kind of value, and gathers what is wrong with them.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Fault } from '../errors.ts';

/** Where inputs come from, and who is told of secrets among them. */
export interface InputSource {
	/** The text of an input, trimmed; empty when not given. */
	readonly input: (name: string) => string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly mask: (value: string) => void;
}

/** A file that an input names: `path` as the workflow author wrote it (below the checkout relative to it), `absolute` for reading. */
export interface InputFile {
	readonly path: string;
	readonly absolute: string;
}

/** Reads single inputs and gathers what is wrong with them. */
export class InputReader {
	readonly faults: Fault[] = [];
	readonly #input: (name: string) => string;
	readonly #checkout: string;

	constructor({ input }: InputSource, checkout: string) {
		this.#input = input;
		this.#checkout = checkout;
	}

	fault(message: string): void {
		this.faults.push({ message });
	}

	text(name: string): string | undefined {
		const value = this.#input(name).trim();
		return value === '' ? undefined : value;
	}

	texts(names: readonly string[]): Record<string, string> {
		return Object.fromEntries(names.map((name) => [name, this.text(name) ?? '']).filter(([, value]) => value !== ''));
	}

	/** YAML 1.2 core: true or false. */
	flag(name: string): boolean {
		const value = this.text(name);
		if (value === undefined || /^(false|False|FALSE)$/.test(value)) return false;
		if (!/^(true|True|TRUE)$/.test(value)) this.fault(`${name}: expected \`true\` or \`false\`, got "${value}".`);
		return true;
	}

	/** One of the words; the first is what absence means. */
	choice<const T extends string>(name: string, words: readonly [T, ...T[]]): T {
		const value = this.text(name);
		const found = words.find((word) => word === value);
		if (value !== undefined && found === undefined) {
			this.fault(`${name}: expected ${words.map((word) => `\`${word}\``).join(' or ')}, got "${value}".`);
		}
		return found ?? words[0];
	}

	number(name: string, { whole, most }: { whole: boolean; most: number }): number | undefined {
		const value = this.text(name);
		if (value === undefined) return undefined;
		const number = /^(\d+(\.\d*)?|\.\d+)$/.test(value) ? Number(value) : Number.NaN;
		if (number > 0 && number <= most && (!whole || Number.isInteger(number))) return number;
		this.fault(`${name}: expected a ${whole ? 'whole ' : ''}number above 0 and at most ${most}, got "${value}".`);
		return undefined;
	}

	/** One value a line; empty lines are passed over. */
	lines(name: string): string[] {
		return (this.text(name) ?? '')
			.split(/\r?\n/)
			.map((line) => line.trim())
			.filter((line) => line !== '');
	}

	/** `key=value` lines. */
	pairs(name: string): Record<string, string> {
		const pairs: Record<string, string> = {};
		for (const line of this.lines(name)) {
			const equals = line.indexOf('=');
			if (equals < 1) this.fault(`${name}: expected \`key=value\`, got "${line}".`);
			else pairs[line.slice(0, equals).trim()] = line.slice(equals + 1).trim();
		}
		return pairs;
	}

	/** A file that exists. */
	file(name: string): InputFile | undefined {
		const path = this.text(name);
		if (path === undefined) return undefined;
		const absolute = isAbsolute(path) ? path : resolve(this.#checkout, path);
		if (!existsSync(absolute))
			this.fault(`${name}: there is no file ${path} (looked in ${this.#checkout}; is actions/checkout missing?).`);
		else if (!statSync(absolute).isFile()) this.fault(`${name}: ${path} is not a file.`);
		else if (isInside(this.#checkout, absolute) && !isInside(realpathSync(this.#checkout), realpathSync(absolute)))
			this.fault(`${name}: ${path} is a link that leads out of the checkout. Give the path of the file itself.`);
		// Annotations and the paths in a file start from the checkout.
		const below = isAbsolute(path) && isInside(this.#checkout, path) ? relative(this.#checkout, path) : path;
		return { path: below.split(sep).join('/'), absolute };
	}
}

/** Whoever wrote the checkout is not the one who wrote the workflow, and must not choose files outside of it by a link. */
function isInside(folder: string, absolute: string): boolean {
	const below = relative(folder, absolute);
	return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}
