// Where a traceback points to in the checkout: paths on the compute mapped back to the code that was uploaded from here.
import { realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import type { Dependency } from '../asset/dependency.ts';
import { needsOf } from '../asset/needs.ts';
import type { Place } from '../errors.ts';
import type { Frame, Traceback } from './traceback.ts';

/** Code that was uploaded: a folder or a file, and what came along under its base name. */
export interface UploadedCode {
	/** Absolute. Empty where there are only includes. */
	readonly path: string;
	readonly includes: readonly string[];
}

/** What ended a job, and where it stands in the checkout, as far as it does. */
export interface Fault {
	/** `ValueError: no such column`. */
	readonly exception: string;
	readonly where: Place | undefined;
	/** The function, where the place is in one. */
	readonly within: string | undefined;
}

/** Where python keeps what is not the user's own. */
const LIBRARY = /\/(site-packages|dist-packages|lib\/python[\d.]*)\//;

/** All code that a job uploads, also that of its components. */
export function uploadedCode(dependencies: readonly Dependency[]): readonly UploadedCode[] {
	return dependencies.flatMap((dependency) =>
		dependency.need === 'code'
			? [{ path: dependency.path, includes: dependency.includes ?? [] }]
			: uploadedCode(needsOf(dependency)),
	);
}

/**
 * What ended the job: the last traceback that leads to the uploaded code, at its innermost call there; else the last one,
 * without a place. Undefined where there is no traceback.
 */
export function faultOf(
	tracebacks: readonly Traceback[],
	code: readonly UploadedCode[],
	checkout: string,
): Fault | undefined {
	for (const { frames, exception } of [...tracebacks].reverse()) {
		for (const frame of [...frames].reverse()) {
			const file = fileOf(frame, code, checkout);
			if (file !== undefined) return { exception, where: { file, line: frame.line }, within: frame.within };
		}
	}
	const last = tracebacks.at(-1);
	return last === undefined ? undefined : { exception: last.exception, where: undefined, within: undefined };
}

/** The frame's file in the checkout, relative to it. */
function fileOf({ file }: Frame, code: readonly UploadedCode[], checkout: string): string | undefined {
	for (const path of pathsInCode(file)) {
		for (const one of code) {
			const local = localFile(path, one);
			const found = local === undefined ? undefined : below(local, checkout);
			if (found !== undefined) return found;
		}
	}
	return undefined;
}

/**
 * What the path on the compute may be below the uploaded code, the likeliest first. Azure ML runs a job in a folder that
 * ends in `wd`; how Spark and other images lay theirs out is not confirmed, so any tail of the path is tried there.
 */
function pathsInCode(file: string): readonly string[] {
	const path = file.replaceAll('\\', '/').replace(/^\.\//, '');
	const parts = path.split('/').filter(Boolean);
	if (path.startsWith('<') || parts.includes('..')) return [];
	if (!path.startsWith('/')) return [path];
	const tails = parts.map((_, start) => parts.slice(start));
	const working = tails.filter((_, start) => parts[start - 1] === 'wd').map((tail) => tail.join('/'));
	return LIBRARY.test(path) || working.length > 0 ? working : tails.map((tail) => tail.join('/'));
}

function localFile(path: string, { path: root, includes }: UploadedCode): string | undefined {
	const [first = '', ...rest] = path.split('/');
	const include = includes.find((one) => basename(one) === first);
	const candidates = [
		...(root === '' ? [] : [join(root, path), ...(path === basename(root) ? [root] : [])]),
		...(include === undefined ? [] : [join(include, ...rest)]),
	];
	return candidates.find((one) => statSync(one, { throwIfNoEntry: false })?.isFile());
}

function below(file: string, checkout: string): string | undefined {
	const path = relative(checkout, realpathSync(file));
	const outside = path === '' || path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path);
	return outside ? undefined : path.split(sep).join('/');
}
