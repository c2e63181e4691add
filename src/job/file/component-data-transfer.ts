// Data-transfer components: copying data between datastores. Moving data in from and out to other systems has no component
// of its own; nodes name the service's built-in ones.
import { type JsonObject, jsonObject } from '../../json.ts';
import type { MapReader } from '../../yaml/checks.ts';
import { word } from '../../yaml/values.ts';
import { type ComponentFacts, factsSpec, readComponentFacts } from './component-command.ts';
import type { ReadComponent } from './component-reference.ts';

/** What happens where a file is there already. */
export type DataCopyMode = 'merge_with_overwrite' | 'fail_if_conflict';

/** Reads what a copy says besides its ports. */
export function readCopyMode(map: MapReader): DataCopyMode | undefined {
	return map.optional('data_copy_mode', word('merge_with_overwrite', 'fail_if_conflict'));
}

/** Reads a data-transfer component. */
export function dataTransferComponent(map: MapReader): ReadComponent {
	const facts = readComponentFacts(map);
	const task = map.required('task', word('copy_data', 'import_data', 'export_data'));
	if (task !== 'copy_data') {
		const at = map.node('task')?.at ?? map.at;
		const next = 'Write a node of type data_transfer with this task in the pipeline; it needs no component.';
		map.reading.fault(at, `Components of the task '${task}' are the service's own. ${next}`);
		map.ignore('source', 'sink');
	}
	return makeCopyComponent(facts, readCopyMode(map), map);
}

/** Makes a copying component of its parts. */
export function makeCopyComponent(
	facts: ComponentFacts,
	mode: DataCopyMode | undefined,
	map: MapReader,
): ReadComponent {
	checkCopy(facts, map);
	const task: JsonObject = jsonObject({ task: 'copy_data', data_copy_mode: mode });
	return {
		inputs: facts.inputs,
		outputs: facts.outputs,
		task: () => task,
		file: {
			type: 'data_transfer',
			name: facts.name,
			version: facts.version,
			description: facts.description,
			tags: facts.tags,
			properties: facts.properties,
			dependencies: [],
			at: facts.at,
			spec: () => jsonObject({ ...factsSpec(facts), type: 'data_transfer', ...task }),
		},
	};
}

function checkCopy({ inputs, outputs }: ComponentFacts, map: MapReader): void {
	const [into] = outputs.values();
	if (outputs.size !== 1 || inputs.size === 0) {
		map.reading.fault(map.at, `Copying data takes one or more inputs and one output; ${map.what} has others.`);
	} else if (inputs.size > 1 && into?.type !== 'uri_folder') {
		map.reading.fault(map.at, `Several inputs are copied into a folder, so the output of ${map.what} is a uri_folder.`);
	} else if (inputs.size === 1 && [...inputs.values()][0]?.type !== into?.type) {
		map.reading.fault(map.at, `What is copied keeps its type, so input and output of ${map.what} are of one type.`);
	}
}
