// What every type of job has: names, tags, compute, identity, services. What a type adds is its own file's.
import { namedId, namedReference, type Reference } from '../../asset/reference.ts';
import type { Place } from '../../errors.ts';
import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { listOf, type MapReader, mapOf, mapping, type Reader } from '../../yaml/checks.ts';
import { filledText, text, textMap, word } from '../../yaml/values.ts';
import type { JobContext } from './context.ts';
import { identityBody, type JobIdentity, jobIdentity } from './identity.ts';
import { type JobService, jobService, serviceBody } from './services.ts';

/** Where a job runs: a compute of the workspace, this very machine's Docker (`local`), or serverless compute. */
export type JobCompute =
	| { readonly form: 'named'; readonly reference: Reference }
	| { readonly form: 'local' }
	| { readonly form: 'serverless' };

/** Who is told by mail when the job ends. */
export interface NotificationSetting {
	readonly emailOn: readonly string[];
	readonly emails: readonly string[];
}

/** What every type of job has. */
export interface JobFacts {
	/** The name that the file gives; `undefined` where the name is ours to choose. */
	readonly name: string | undefined;
	readonly displayName: string | undefined;
	readonly experimentName: string | undefined;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string>;
	readonly properties: ReadonlyMap<string, string>;
	readonly compute: JobCompute | undefined;
	readonly identity: JobIdentity | undefined;
	readonly services: ReadonlyMap<string, JobService> | undefined;
	readonly notification: NotificationSetting | undefined;
	readonly at: Place;
}

const jobName: Reader<string> = (node, reading) => {
	const name = filledText(node, reading);
	if (name !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$/.test(name)) {
		reading.fault(
			node.at,
			`'${name}' cannot be the name of a job: letters, digits, hyphens and underscores, starting with a letter or digit.`,
		);
	}
	return name;
};

/** A reader of `compute`. */
export const jobCompute: Reader<JobCompute> = (node, reading) => {
	const written = node.kind === 'scalar' ? node.text.toLowerCase() : '';
	if (written === 'local' || written === 'serverless' || written === 'azureml:serverless') {
		return { form: written === 'local' ? 'local' : 'serverless' };
	}
	return { form: 'named', reference: namedReference('computes')(node, reading) };
};

const notificationSetting: Reader<NotificationSetting> = mapping('notification_setting', (map) => ({
	emailOn: map.required('email_on', listOf(word('JobCompleted', 'JobFailed', 'JobCancelled'))),
	emails: map.required('emails', listOf(filledText)),
}));

/** Reads what every type of job has. */
export function readFacts(map: MapReader): JobFacts {
	map.ignore('$schema', 'type', 'id', 'status', 'creation_context', 'log_files', 'parameters');
	return {
		name: map.optional('name', jobName),
		displayName: map.optional('display_name', text),
		experimentName: map.optional('experiment_name', text),
		description: map.optional('description', text),
		tags: map.optional('tags', textMap) ?? new Map(),
		properties: map.optional('properties', textMap) ?? new Map(),
		compute: map.optional('compute', jobCompute),
		identity: map.optional('identity', jobIdentity),
		services: map.optional('services', mapOf(jobService)),
		notification: map.optional('notification_setting', notificationSetting),
		at: map.at,
	};
}

/** The members of a job's body that every type has. */
export function factsBody(facts: JobFacts, context: JobContext): JsonObject {
	return jsonObject({
		description: facts.description,
		properties: mapValues(facts.properties, (value) => value),
		tags: mapValues(facts.tags, (value) => value),
		computeId: computeId(facts.compute, context.workspaceId),
		displayName: facts.displayName ?? context.name,
		experimentName: facts.experimentName ?? context.experimentName,
		identity: facts.identity && identityBody(facts.identity),
		isArchived: false,
		notificationSetting: facts.notification && { ...facts.notification },
		services: facts.services && mapValues(facts.services, serviceBody),
	});
}

/** What stands for serverless compute inside of a pipeline, in the form of a compute's id. */
export function serverlessId(workspaceId: string): string {
	return `${workspaceId}/computes/serverless`;
}

/** ARM id of the compute, or undefined for local and serverless compute. */
export function computeId(compute: JobCompute | undefined, workspaceId: string): string | undefined {
	return compute?.form === 'named' ? namedId(workspaceId, compute.reference) : undefined;
}
