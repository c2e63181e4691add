// The code of a component: its folder, and the files and folders that `additional_includes` adds to it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { codeSource } from '../../asset/asset-sources.ts';
import { type LocalPath, localPath } from '../../asset/local-path.ts';
import type { Place } from '../../errors.ts';
import { asText, listOf, type MapReader, type Reader, type Reading } from '../../yaml/checks.ts';
import { filledText } from '../../yaml/values.ts';
import type { ComponentCode } from './component-reference.ts';

/** Code of a component, and its includes as the file has them, because the spec repeats them. */
export interface CodeAndIncludes {
	readonly code: ComponentCode | undefined;
	readonly includes: readonly string[] | undefined;
}

const include: Reader<LocalPath> = (node, reading) => {
	if (node.kind === 'map') {
		const next = 'Download it in an earlier step of the workflow and name its files or folders here.';
		reading.fault(node.at, `An artifact of Azure DevOps cannot be included by this action. ${next}`);
		return { path: '', written: '', at: node.at };
	}
	const written = filledText(node, reading);
	const zipped = written.replace(/\.zip$/i, '');
	if (zipped !== written && !existsSync(reading.resolve(written)) && existsSync(reading.resolve(zipped))) {
		const next = 'Name the folder itself, or make the zip file in an earlier step of the workflow.';
		reading.fault(node.at, `'${written}' asks for a folder to be zipped, which this action does not do. ${next}`);
		return { path: '', written, at: node.at };
	}
	return asText(node) === undefined || written === ''
		? { path: '', written, at: node.at }
		: localPath(written, node.at, reading);
};

/** Reads `code` and `additional_includes` of a component. */
export function readComponentCode(map: MapReader): CodeAndIncludes {
	const code = map.optional('code', codeSource);
	const listed = map.optional('additional_includes', listOf(include));
	const at = map.node('additional_includes')?.at ?? map.at;
	if (listed === undefined || listed.length === 0) {
		return { code, includes: undefined };
	}
	const includes = listed.map((one) => one.written);
	if (code?.need === 'reference') {
		map.reading.fault(at, "'additional_includes' go with a local code folder; this component's code is registered.");
		return { code, includes };
	}
	for (const one of listed) {
		checkName(one, code?.path ?? '', map.reading);
	}
	const own = code ?? ({ need: 'code', path: '', written: includes.join(', '), at } as const);
	return { code: { ...own, includes: listed.map((one) => one.path) }, includes };
}

// What is included lies beside the code's own files, so its name must be free there; the same thing by a link is fine.
function checkName(one: LocalPath, code: string, reading: Reading): void {
	if (one.path === '' || code === '') {
		return;
	}
	const name = path.basename(one.path);
	if (name === '') {
		reading.fault(one.at, `'${one.written}' is the root of the file system, which cannot be included.`);
	} else if (existsSync(path.join(code, name)) && path.join(code, name) !== one.path) {
		reading.fault(one.at, `'${one.written}' cannot be included: the code folder has a '${name}' already.`);
	}
}

/** Warns where a file `<name>.additional_includes` lies beside a component; the CLI reads it for other components only. */
export function warnOfIncludesFile(reading: Reading, at: Place): void {
	const file = `${path.basename(reading.path).replace(/\.[^.]+$/, '')}.additional_includes`;
	if (existsSync(path.join(reading.folder, file))) {
		const next = "List its lines under the key 'additional_includes' of the component.";
		reading.warn(at, `The file ${file} is not read, neither by this action nor by the Azure ML CLI here. ${next}`);
	}
}
