// The one entry to job files: any type of CLI v2 job in, its typed file or its REST body out.
import { Reading } from '../../yaml/checks.ts';
import type { YamlFile } from '../../yaml/node.ts';
import { type CommandJobFile, commandJob, commandJobBody } from './command.ts';
import type { JobBody, JobContext } from './context.ts';

/** A job as the user wrote it, checked. */
export type JobFile = CommandJobFile;

/** Reads a job file of any type. Throws a `FileError` with every fault. */
export function readJobFile(file: YamlFile): JobFile {
	const reading = new Reading(file);
	const job = commandJob(file.root, reading);
	reading.finish();
	return job;
}

/** The REST body of a job, once its dependencies have ids. */
export function jobBody(file: JobFile, context: JobContext): JobBody {
	return commandJobBody(file, context);
}
