// AutoML nodes of a pipeline: no component, the settings stand in the node itself, in the words of the file.
import type { MapReader } from '../../yaml/checks.ts';
import { type JsonObject } from '../../yaml/json.ts';
import type { PipelineScope } from './node-io.ts';
import { type PipelineNode, unsupportedNode } from './node-parts.ts';

/** Reads an AutoML node. */
export function automlNode(name: string, map: MapReader, _scope: PipelineScope): PipelineNode {
	map.reading.fault(map.at, 'AutoML nodes are not supported yet.');
	const body: JsonObject = {};
	return { ...unsupportedNode(name), body: () => body };
}
