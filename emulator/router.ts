// Finds the handler of a method and path. Fixed segments match without regard to case, names keep theirs.

/** What stood in the place of each `{name}` of a pattern, percent-decoded. */
export type PathNames = Record<string, string>;

interface Route<H> {
	method: string;
	segments: string[];
	handler: H;
}

/** A found route; `names` holds the captured segments. */
export interface Found<H> {
	handler: H;
	names: PathNames;
}

/** An ordered table of routes: the first that matches wins. */
export class Router<H> {
	readonly #routes: Route<H>[] = [];

	/**
	 * Adds a route. In `pattern`, `{name}` takes one segment and a last `{name*}` takes all that remain, at least one.
	 * Several methods may be given with `|` between them.
	 */
	on(methods: string, pattern: string, handler: H): this {
		for (const method of methods.split('|')) {
			this.#routes.push({ method, segments: split(pattern), handler });
		}
		return this;
	}

	/** Finds the route of a request; `'method'` when only other methods are known there, `undefined` for an unknown path. */
	find(method: string, path: string): Found<H> | 'method' | undefined {
		const segments = split(path);
		let known = false;
		for (const route of this.#routes) {
			const names = match(route.segments, segments);
			if (!names) continue;
			if (route.method === method) return { handler: route.handler, names };
			known = true;
		}
		return known ? 'method' : undefined;
	}
}

function split(path: string): string[] {
	return path.split('/').filter((segment) => segment !== '');
}

function match(pattern: string[], segments: string[]): PathNames | undefined {
	const names: PathNames = {};
	for (const [index, expected] of pattern.entries()) {
		const actual = segments[index];
		if (actual === undefined) return undefined;
		if (expected.endsWith('*}')) {
			names[expected.slice(1, -2)] = segments.slice(index).map(decode).join('/');
			return names;
		}
		if (expected.startsWith('{')) names[expected.slice(1, -1)] = decode(actual);
		else if (expected.toLowerCase() !== decode(actual).toLowerCase()) return undefined;
	}
	return segments.length === pattern.length ? names : undefined;
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment);
	} catch {
		return segment;
	}
}
