// The conda file of an environment: a path, or written inline. Either way it becomes one canonical text.
import { FileError } from '../errors.ts';
import { describe, type Reader } from '../yaml/checks.ts';
import { dumpYaml } from '../yaml/dump.ts';
import { loadYaml } from '../yaml/load.ts';
import { readLocalFile } from './local-path.ts';

/** A reader of `conda_file`: gives its YAML text with sorted keys, as the CLI sends it. */
export const condaText: Reader<string> = (node, reading) => {
	if (node.kind === 'map') {
		return dumpYaml(node);
	}
	if (node.kind !== 'scalar' || node.type !== 'str') {
		reading.fault(node.at, `Expected the path of a conda file or its content, but found ${describe(node)}.`);
		return '';
	}
	const bytes = readLocalFile(node.text, node.at, reading);
	if (bytes === undefined) {
		return '';
	}
	try {
		return dumpYaml(loadYaml(bytes, reading.relative(node.text), reading.folder).root);
	} catch (error) {
		if (!(error instanceof FileError)) {
			throw error;
		}
		reading.faults.push(...error.faults);
		return '';
	}
};
