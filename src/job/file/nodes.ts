// The nodes of a pipeline: each read by its type, in any order, since one node's inputs may depend on another's outputs.
import { asText, child, MapReader, type Reading } from '../../yaml/checks.ts';
import { nearest } from '../../yaml/nearest.ts';
import type { MapEntry, YamlNode } from '../../yaml/node.ts';
import { text } from '../../yaml/values.ts';
import { automlNode } from './node-automl.ts';
import { commandNode, parallelNode, pipelineNode, sparkNode } from './node-component.ts';
import { dataTransferNode } from './node-data-transfer.ts';
import type { PipelineScope } from './node-io.ts';
import { leftOut, type PipelineNode, unsupportedNode } from './node-parts.ts';
import { sweepNode } from './node-sweep.ts';
import type { PortType } from './ports.ts';

type NodeReader = (name: string, map: MapReader, scope: PipelineScope) => PipelineNode;

const READERS: ReadonlyMap<string, NodeReader> = new Map<string, NodeReader>([
	['command', commandNode],
	['sweep', sweepNode],
	['parallel', parallelNode],
	['spark', sparkNode],
	['pipeline', pipelineNode],
	['automl', automlNode],
	['data_transfer', dataTransferNode],
]);

/** What the service says of a node, and no file can. */
const READ_ONLY = ['creation_context', 'id', 'log_files', 'status'];

/** Nodes that Azure ML knows and this action does not, with what to do instead. */
const REFUSED: ReadonlyMap<string, string> = new Map([
	['if_else', 'The Azure ML CLI takes no control flow from YAML either; decide in the command of a node.'],
	['do_while', 'The Azure ML CLI takes no control flow from YAML either; loop in the command of a node.'],
	['parallel_for', 'The Azure ML CLI takes no control flow from YAML either; write a node of type parallel.'],
	['import', "Write a node of type data_transfer with 'task: import_data', which came in its place."],
]);

/** Reads all nodes of a pipeline, in the order of the file. */
export function readNodes(
	jobs: YamlNode,
	ports: Pick<PipelineScope, 'inputs' | 'outputs' | 'component'>,
	reading: Reading,
): readonly PipelineNode[] {
	if (jobs.kind !== 'map') {
		if (!(jobs.kind === 'scalar' && jobs.type === 'null')) {
			reading.fault(jobs.at, "Expected 'jobs', a mapping of names to nodes.");
		}
		return [];
	}
	const book = new NodeBook(jobs.entries, ports, reading);
	return jobs.entries.map((entry) => book.read(entry.key)).filter((node): node is PipelineNode => node !== undefined);
}

class NodeBook {
	readonly #entries: ReadonlyMap<string, MapEntry>;
	readonly #done = new Map<string, PipelineNode | undefined>();
	readonly #reading: Reading;
	readonly #scope: PipelineScope;

	constructor(
		entries: readonly MapEntry[],
		ports: Pick<PipelineScope, 'inputs' | 'outputs' | 'component'>,
		reading: Reading,
	) {
		this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
		this.#reading = reading;
		this.#scope = {
			...ports,
			nodeNames: [...this.#entries.keys()],
			outputType: (node, output) => this.#outputType(node, output),
		};
	}

	read(name: string): PipelineNode | undefined {
		const entry = this.#entries.get(name);
		if (entry !== undefined && !this.#done.has(name)) {
			// Set beforehand: nodes that are bound to each other in a circle must not read each other for ever.
			this.#done.set(name, undefined);
			this.#done.set(name, this.#read(entry));
		}
		return this.#done.get(name);
	}

	#read(entry: MapEntry): PipelineNode {
		if (!/^[a-z_][a-zA-Z0-9_]*$/i.test(entry.key)) {
			this.#reading.fault(
				entry.at,
				`'${entry.key}' cannot be the name of a node: letters, digits and underscores, not starting with a digit.`,
			);
		}
		const written = asText(child(entry.value, 'type'));
		const map = new MapReader(entry.value, this.#reading, `the node '${entry.key}'`);
		const type = map.optional('type', text)?.toLowerCase() || typeOfComponent(entry.value);
		const reader = READERS.get(type);
		if (reader !== undefined) {
			if (type !== 'automl') {
				leftOut(map, 'the pipeline has it for all of its nodes', 'experiment_name', 'parent_job_name');
			}
			return reader(entry.key, map.ignore('type', '$schema', 'name', ...READ_ONLY), this.#scope);
		}
		const near = nearest(type, READERS.keys());
		const hint =
			REFUSED.get(type) ??
			(near === undefined ? `This action knows ${[...READERS.keys()].join(', ')}.` : `Did you mean '${near}'?`);
		this.#reading.fault(written?.at ?? entry.at, `Nodes of type '${type}' are not supported. ${hint}`);
		return unsupportedNode(entry.key);
	}

	#outputType(node: string, output: string): PortType | undefined | 'missing' {
		return this.read(node)?.outputType(output);
	}
}

// Without a type a node is what its keys say; one that only names a component is a command until the file is read.
function typeOfComponent(node: YamlNode): string {
	const has = (key: string): boolean => child(node, key) !== undefined;
	if (has('trial')) {
		return 'sweep';
	}
	return has('task') && !has('component') ? 'parallel' : 'command';
}
