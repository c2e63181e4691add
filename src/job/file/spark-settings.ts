// What a Spark job, component or node runs: entry, configuration, files, resources.
import { environmentSource, type Needs } from '../../asset/asset-sources.ts';
import { localPath } from '../../asset/local-path.ts';
import { type Json, type JsonObject, jsonObject } from '../../json.ts';
import { withoutEndSlashes } from '../../slashes.ts';
import { listOf, type MapReader, mapOf, mapping, type Reader } from '../../yaml/checks.ts';
import { filledText, json, stringified, text } from '../../yaml/values.ts';
import { readComponentCode } from './component-code.ts';

/** A value of the Spark configuration: as JSON, and as the text that Python prints. */
export interface ConfValue {
	readonly value: Json;
	readonly text: string;
}

/** What Spark runs and how. */
export interface SparkTask {
	readonly code: Needs<'code' | 'reference'> | undefined;
	/** The Python file in the code folder. */
	readonly entry: string;
	readonly conf: ReadonlyMap<string, ConfValue>;
	readonly args: string | undefined;
	readonly pyFiles: readonly string[] | undefined;
	readonly jars: readonly string[] | undefined;
	readonly files: readonly string[] | undefined;
	readonly archives: readonly string[] | undefined;
	readonly environment: Needs<'environment' | 'reference'> | undefined;
	/** What `additional_includes` lists, as written. */
	readonly includes: readonly string[] | undefined;
}

/** The serverless Spark pool that a job gets. */
export interface SparkResources {
	readonly instanceType: string;
	readonly runtimeVersion: string;
}

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
	['driver_cores', 'spark.driver.cores'],
	['driver_memory', 'spark.driver.memory'],
	['executor_cores', 'spark.executor.cores'],
	['executor_memory', 'spark.executor.memory'],
	['executor_instances', 'spark.executor.instances'],
	['dynamic_allocation_enabled', 'spark.dynamicAllocation.enabled'],
	['dynamic_allocation_min_executors', 'spark.dynamicAllocation.minExecutors'],
	['dynamic_allocation_max_executors', 'spark.dynamicAllocation.maxExecutors'],
]);

/** A reader of the Python file that Spark starts with. */
export const sparkEntry: Reader<string> = mapping('an entry', (map) => {
	if (map.has('class_name')) {
		map.reading.fault(map.at, "An entry by 'class_name' is not supported by the Azure ML CLI; name a Python 'file'.");
		return '';
	}
	map.ignore('spark_job_entry_type');
	return map.required('file', filledText);
});

const confValue: Reader<ConfValue> = (node, reading) => {
	const value = json(node, reading);
	return { value, text: node.kind === 'scalar' ? node.text : JSON.stringify(value) };
};

/** A reader of Spark's configuration; the short names of the CLI become Spark's own. */
export const sparkConf: Reader<ReadonlyMap<string, ConfValue>> = (node, reading) =>
	new Map([...mapOf(confValue)(node, reading)].map(([key, value]) => [SHORT_NAMES.get(key) ?? key, value]));

/** Reads what Spark runs. */
export function readSparkTask(map: MapReader): SparkTask {
	const { code: own, includes } = readComponentCode(map);
	const code = own?.need === 'placeholder-code' ? undefined : own;
	const file = map.required('entry', sparkEntry);
	const at = map.node('entry')?.at ?? map.at;
	if (code?.need === 'code' && code.path !== '' && file !== '') {
		localPath(`${withoutEndSlashes(code.written)}/${file}`, at, map.reading, 'file');
	}
	return {
		code,
		entry: file,
		conf: map.optional('conf', sparkConf) ?? new Map(),
		args: map.optional('args', text),
		pyFiles: map.optional('py_files', listOf(filledText)),
		jars: map.optional('jars', listOf(filledText)),
		files: map.optional('files', listOf(filledText)),
		archives: map.optional('archives', listOf(filledText)),
		environment: map.optional('environment', environmentSource),
		includes,
	};
}

/** Notes a fault for each part of the configuration that Spark cannot do without. */
export function checkConf(task: SparkTask, map: MapReader): void {
	const needed = ['spark.driver.cores', 'spark.driver.memory', 'spark.executor.cores', 'spark.executor.memory'];
	const dynamic = isDynamic(task.conf);
	const more = dynamic
		? ['spark.dynamicAllocation.minExecutors', 'spark.dynamicAllocation.maxExecutors']
		: ['spark.executor.instances'];
	const missing = [...needed, ...more].filter((key) => !task.conf.has(key));
	if (missing.length > 0) {
		map.reading.fault(map.node('conf')?.at ?? map.at, `'conf' lacks ${missing.join(', ')}.`);
	}
}

/** A reader of the serverless Spark pool. */
export const sparkResources: Reader<SparkResources> = mapping('resources', (map) => ({
	instanceType: map.required('instance_type', filledText),
	runtimeVersion: map.required('runtime_version', runtimeVersion),
}));

const runtimeVersion: Reader<string> = (node, reading) => {
	const version = stringified(node, reading);
	if (version !== '' && !/^([3-9]|\d\d+)\.\d+(\.\d+)?$/.test(version)) {
		reading.fault(node.at, `'${version}' is not a Spark runtime of Azure ML. Write 3.3 or later, in quotes.`);
	}
	return version;
};

/** The configuration as a node holds it, with the number of executors that dynamic allocation starts with. */
export function nodeConf(values: SparkTask['conf']): JsonObject {
	return Object.fromEntries([...withInstances(values)].map(([key, { value }]) => [key, value]));
}

/** The configuration as a standalone job holds it: text only. */
export function jobConf(values: SparkTask['conf']): JsonObject {
	return Object.fromEntries([...withInstances(values)].map(([key, { text: printed }]) => [key, printed]));
}

/** The configuration as a component's spec holds it: as written. */
export function specConf(values: SparkTask['conf']): JsonObject {
	return Object.fromEntries([...values].map(([key, { value }]) => [key, value]));
}

function withInstances(values: SparkTask['conf']): SparkTask['conf'] {
	const fewest = values.get('spark.dynamicAllocation.minExecutors');
	return isDynamic(values) && fewest !== undefined && !values.has('spark.executor.instances')
		? new Map([...values, ['spark.executor.instances', fewest]])
		: values;
}

function isDynamic(values: SparkTask['conf']): boolean {
	return values.get('spark.dynamicAllocation.enabled')?.text.toLowerCase() === 'true';
}

/** The lists of files that Spark takes along, in the words of nodes and specs. */
export function sparkFiles(task: SparkTask): JsonObject {
	return jsonObject({
		py_files: task.pyFiles,
		jars: task.jars,
		files: task.files,
		archives: task.archives,
		args: task.args,
	});
}
