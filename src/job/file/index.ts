// The one entry to job files: any type of CLI v2 job in, its typed file or its REST body out.
import type { Reference } from '../../asset/reference.ts';
import { type Reader, Reading, type Warn } from '../../yaml/checks.ts';
import { type FileKind, kindOf } from '../../yaml/kind.ts';
import type { YamlFile } from '../../yaml/node.ts';
import { type AutoMlJobFile, automlJob, automlJobBody } from './automl.ts';
import { type CommandJobFile, commandJob, commandJobBody } from './command.ts';
import type { JobBody, JobContext } from './context.ts';
import { type PipelineJobFile, pipelineJob, pipelineJobBody } from './pipeline.ts';
import { type SparkJobFile, sparkJob, sparkJobBody } from './spark.ts';
import { type SweepJobFile, sweepJob, sweepJobBody } from './sweep.ts';

/** A job as the user wrote it, checked. */
export type JobFile = CommandJobFile | SweepJobFile | PipelineJobFile | SparkJobFile | AutoMlJobFile;

const READERS: Partial<Readonly<Record<FileKind, Reader<JobFile>>>> = {
	'job:command': commandJob,
	'job:sweep': sweepJob,
	'job:pipeline': pipelineJob,
	'job:spark': sparkJob,
	'job:automl': automlJob,
};

/** Reads a job file of any type. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readJobFile(file: YamlFile, warn?: Warn): JobFile {
	const kind = kindOf(file, 'job');
	const reading = new Reading(file);
	const reader = READERS[kind];
	if (reader === undefined) {
		reading.fault(file.root.at, `This file is not a job that this action can run (it is: ${kind}).`);
		reading.finish(warn);
	}
	const job = (reader ?? commandJob)(file.root, reading);
	reading.finish(warn);
	return job;
}

/** The REST body of a job, once its dependencies have ids. */
export function jobBody(file: JobFile, context: JobContext): JobBody {
	switch (file.type) {
		case 'command':
			return commandJobBody(file, context);
		case 'sweep':
			return sweepJobBody(file, context);
		case 'pipeline':
			return pipelineJobBody(file, context);
		case 'spark':
			return sparkJobBody(file, context);
		case 'automl':
			return automlJobBody(file, context);
	}
}

/** The computes of the workspace that a job names, each once, so that a missing one can be told before anything is sent. */
export function jobComputes(file: JobFile): readonly Reference[] {
	const nodes = file.type === 'pipeline' ? file.nodes.map((node) => node.compute) : [];
	const named = [file.compute, ...nodes].flatMap((compute) => (compute?.form === 'named' ? [compute.reference] : []));
	const fallback = file.type === 'pipeline' ? file.settings.defaultCompute : undefined;
	const all = fallback === undefined || fallback === 'serverless' ? named : [...named, fallback];
	const written = (reference: Reference): string =>
		reference.form === 'name' ? reference.name : reference.form === 'id' ? reference.id : '';
	const names = new Map(
		all.filter((reference) => written(reference) !== '').map((reference) => [written(reference), reference]),
	);
	return [...names.values()];
}
