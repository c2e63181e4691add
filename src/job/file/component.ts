// Components of any type: from a file of their own, named by a node, or written inside a node.
import type { ComponentFile } from '../../asset/component-file.ts';
import { checkoutOf, isLinkOutwards, linkOutwards } from '../../asset/local-path.ts';
import { assetReference, hasExpression, isUri } from '../../asset/reference.ts';
import { FileError } from '../../errors.ts';
import { asText, describe, MapReader, Reading, type Warn } from '../../yaml/checks.ts';
import { otherKind } from '../../yaml/kind.ts';
import { openYaml } from '../../yaml/load.ts';
import type { YamlFile, YamlNode } from '../../yaml/node.ts';
import { text } from '../../yaml/values.ts';
import { warnOfIncludesFile } from './component-code.ts';
import { commandComponent } from './component-command.ts';
import { dataTransferComponent } from './component-data-transfer.ts';
import { parallelComponent } from './component-parallel.ts';
import { pipelineComponent } from './component-pipeline.ts';
import type { NodeComponent, ReadComponent } from './component-reference.ts';
import { sparkComponent } from './component-spark.ts';

/** Reads a component file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readComponentFile(file: YamlFile, warn?: Warn): ComponentFile {
	const reading = new Reading(file);
	const { file: component } = componentOf(file.root, reading, undefined);
	warnOfIncludesFile(reading, file.root.at);
	if (component.name === undefined) {
		reading.fault(file.root.at, "A component file needs the key 'name'.");
	}
	reading.finish(warn);
	return component;
}

/** Reads a component from a tree. `expected` is its type where the tree names none. */
export function componentOf(root: YamlNode, reading: Reading, expected: string | undefined): ReadComponent {
	const map = new MapReader(root, reading, 'a component');
	const other = root.kind === 'map' ? otherKind(root) : undefined;
	if (other !== undefined) {
		reading.fault(root.at, other);
		return unknownComponent(map);
	}
	const type = map.optional('type', text)?.toLowerCase() || (expected ?? 'command');
	const component = byType(type, map);
	if (root.kind === 'map') {
		map.done();
	}
	return component;
}

function byType(type: string, map: MapReader): ReadComponent {
	switch (type) {
		case 'command':
			return commandComponent(map);
		case 'parallel':
			return parallelComponent(map);
		case 'spark':
			return sparkComponent(map);
		case 'data_transfer':
			return dataTransferComponent(map);
		case 'pipeline':
			return pipelineComponent(map, nodeComponent);
		default:
			map.reading.fault(
				map.node('type')?.at ?? map.at,
				`Components of type '${type}' are not supported; this action knows command, parallel, spark, pipeline and data_transfer.`,
			);
			map.rest();
			return unknownComponent(map);
	}
}

// Stands in for a component that cannot be read; its file is refused anyway.
function unknownComponent(map: MapReader): ReadComponent {
	return commandComponent(
		new MapReader({ kind: 'map', entries: [], at: map.at }, new Reading(map.reading), 'a component'),
	);
}

/** Reads what a node says under `component` or `trial`: a file, a registered component, or a definition on the spot. */
export function nodeComponent(node: YamlNode, reading: Reading, expected: string | undefined): NodeComponent {
	if (node.kind === 'map') {
		return known(componentOf(node, reading, expected), 'YAML.JOB');
	}
	const written = asText(node);
	if (written === undefined) {
		reading.fault(node.at, `Expected the path or the name of a component, but found ${describe(node)}.`);
		return { form: 'registered', dependency: { need: 'placeholder-code' }, source: '' };
	}
	if (
		written.text.startsWith('azureml:') ||
		written.text.startsWith('/subscriptions/') ||
		isUri(written.text) ||
		hasExpression(written.text)
	) {
		const reference = assetReference('components')(written, reading);
		const registry = written.text.startsWith('azureml://registries/');
		return {
			form: 'registered',
			dependency: { need: 'reference', reference },
			source: registry ? 'REMOTE.REGISTRY' : 'REMOTE.WORKSPACE.COMPONENT',
		};
	}
	const component = fromFile(written.text.replace(/^file:/, ''), node, reading, expected);
	return component === undefined
		? { form: 'registered', dependency: { need: 'placeholder-code' }, source: '' }
		: known(component, 'YAML.COMPONENT');
}

function known(component: ReadComponent, source: string): NodeComponent {
	return { form: 'known', component, dependency: { need: 'component', component: component.file }, source };
}

function fromFile(
	written: string,
	node: YamlNode,
	reading: Reading,
	expected: string | undefined,
): ReadComponent | undefined {
	const absolute = reading.resolve(written);
	if (reading.trail.includes(absolute)) {
		reading.fault(node.at, `'${written}' leads back to a file that is being read; a pipeline cannot contain itself.`);
		return undefined;
	}
	if (reading.memo.has(absolute)) {
		return reading.memo.get(absolute) as ReadComponent | undefined;
	}
	const component = openComponent(absolute, written, node, reading, expected);
	reading.memo.set(absolute, component);
	return component;
}

function openComponent(
	absolute: string,
	written: string,
	node: YamlNode,
	reading: Reading,
	expected: string | undefined,
): ReadComponent | undefined {
	const shown = reading.relative(written);
	if (isLinkOutwards(absolute, checkoutOf(reading))) {
		reading.fault(node.at, linkOutwards(written));
		return undefined;
	}
	try {
		const file = openYaml(absolute, shown);
		const within = reading.within(file);
		warnOfIncludesFile(within, file.root.at);
		return componentOf(file.root, within, expected);
	} catch (error) {
		if (!(error instanceof FileError)) {
			throw error;
		}
		const missing = error.faults.every((fault) => fault.where?.line === undefined);
		reading.faults.push(...(missing ? error.faults.map(({ message }) => ({ message, where: node.at })) : error.faults));
		return undefined;
	}
}
