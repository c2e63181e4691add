// A parallel step as a command: the driver beside this file splits the input into mini-batches and hands them to
// processes that run the entry script.

import { fileURLToPath } from 'node:url';
import { type Json, objectOf, textOf } from '../../arm/call.ts';
import { StepError } from './component.ts';

const DRIVER = fileURLToPath(new URL('./parallel_driver.py', import.meta.url));
/** What the service tries and waits for when a step does not say: retries, and seconds for a mini-batch. */
const DEFAULTS = { retries: 3, timeout: 60 };

/** Gives code and command of a parallel step; `spec` is its component overlaid with what the node says. */
export function parallelCommand(spec: Json): { command: string; codeUri?: string } {
	const task = objectOf(spec['task']);
	const script = textOf(task['entry_script']);
	if (script === undefined) throw new StepError('The task of a parallel step has no entry_script. Name one.');
	if (spec['partition_keys'] != null) {
		throw new StepError('Partition keys are not emulated: give the parallel step a mini_batch_size.');
	}
	const input = nameIn(spec['input_data'], 'inputs');
	if (input === undefined) {
		throw new StepError('The input_data of a parallel step names no input. Bind it to one of the inputs of the step.');
	}
	const rows = nameIn(task['append_row_to'] ?? spec['append_row_to'], 'outputs');
	const retry = objectOf(spec['retry_settings']);
	const settings = {
		entryScript: script,
		miniBatchSize: batchSize(spec['mini_batch_size']),
		workers: Math.max(1, number(objectOf(spec['resources'])['instance_count'], 1)) * concurrency(spec),
		retries: number(retry['max_retries'], DEFAULTS.retries),
		timeout: number(retry['timeout'], DEFAULTS.timeout),
		errorThreshold: number(spec['error_threshold'], -1),
		miniBatchErrorThreshold: number(spec['mini_batch_error_threshold'], -1),
	};
	const encoded = Buffer.from(JSON.stringify(settings)).toString('base64');
	const target = rows === undefined ? '' : ` --append-to "\${{outputs.${rows}}}"`;
	const codeUri = textOf(task['code']);
	return {
		command: `python '${DRIVER}' --settings ${encoded} --input "\${{inputs.${input}}}"${target} -- ${task['program_arguments'] ?? ''}`,
		...(codeUri === undefined ? {} : { codeUri }),
	};
}

function concurrency(spec: Json): number {
	return Math.max(1, number(spec['max_concurrency_per_instance'], 1));
}

function nameIn(value: unknown, kind: 'inputs' | 'outputs'): string | undefined {
	return new RegExp(`^\\s*\\$\\{\\{\\s*${kind}\\.([^}\\s]+)\\s*\\}\\}`).exec(textOf(value) ?? '')?.[1];
}

/** Files are counted; a size in bytes is for rows of tables, which are not emulated. */
function batchSize(given: unknown): number {
	const size = Number(given ?? 10);
	if (Number.isInteger(size) && size > 0) return size;
	throw new StepError(`The mini_batch_size '${String(given)}' is no number of files. Tables are not emulated.`);
}

function number(given: unknown, fallback: number): number {
	const value = Number(given ?? fallback);
	return Number.isFinite(value) ? value : fallback;
}
