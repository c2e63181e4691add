// What a job does, as one hash of its body; and the Completed job that has done the same already.
import { createHash } from 'node:crypto';
import type { MadeAsset } from '../asset/made.ts';
import { sorted } from '../asset/same.ts';
import type { Workspace } from '../azure/workspace.ts';
import { messageOf } from '../errors.ts';
import { isObject, type Json, type JsonObject, jsonText, objectAt, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import type { JobBody } from './file/context.ts';
import type { Job } from './job.ts';
import { listJobs } from './job-list.ts';

/** The property that holds the hash of what a job does. */
export const CONTENT_PROPERTY = 'azureml-action.content';

/** Changed whenever bodies of the same meaning come to be written otherwise. */
const FORM = 1;
/** What a job is called, who made it and who is told of it; nothing of that changes its result. */
const WORDS = new Set([
	'displayName',
	'description',
	'tags',
	'properties',
	'experimentName',
	'isArchived',
	'notificationSetting',
	'services',
]);

/**
 * The hash of what a job does: its command or steps, environment, inputs, parameters, compute and resources. Code counts by
 * its content, whatever name it was uploaded under.
 */
export function contentOf({ properties }: JobBody, made: readonly MadeAsset[]): string {
	const codes = new Map(
		made.flatMap(({ kind, id, hash }) => (kind === 'code' && hash !== undefined ? [[id, hash]] : [])),
	);
	const does = Object.fromEntries(Object.entries(properties).filter(([name]) => !WORDS.has(name)));
	const text = jsonText(sorted([FORM, byContent(does, codes)]));
	return createHash('sha256').update(text).digest('hex');
}

function byContent(value: Json, codes: ReadonlyMap<string, string>): Json {
	if (typeof value === 'string') return codes.get(value) ?? value;
	if (Array.isArray(value)) return value.map((item: Json) => byContent(item, codes));
	if (!isObject(value)) return value;
	const members = Object.entries(value).flatMap(([name, member]): [string, Json][] =>
		member === undefined ? [] : [[name, byContent(member, codes)]],
	);
	return Object.fromEntries(members);
}

export interface ReuseParts {
	readonly workspace: Workspace;
	readonly log: Log;
	readonly signal: AbortSignal;
}

/**
 * The newest Completed job of the same experiment that has done what this body asks for. Undefined where there is none, or
 * none can be looked for, which the log then tells: training anew is never wrong.
 */
export async function findReusable({ properties }: JobBody, parts: ReuseParts): Promise<Job | undefined> {
	const { workspace, log, signal } = parts;
	const content = textAt(properties, 'properties', CONTENT_PROPERTY) ?? '';
	const experiment = textAt(properties, 'experimentName');
	try {
		const doing = 'look for a job of identical content';
		const jobs = await listJobs(workspace, { property: [CONTENT_PROPERTY, content], doing, signal });
		return jobs.find(({ status, experimentName }) => status === 'Completed' && experimentName === experiment);
	} catch (error) {
		signal.throwIfAborted();
		log.warning(`Trains anew, because no earlier job can be looked for: ${messageOf(error)}`);
		return undefined;
	}
}

/**
 * Names of the inputs whose content this run does not know: data in storage that is referred to by its place. They count as
 * unchanged as long as the place is the same.
 */
export function inputsByPlace({ properties }: JobBody, made: readonly MadeAsset[]): readonly string[] {
	const uploads = new Set(made.map(({ id }) => id.replace(/\/$/, '')));
	const inputs: JsonObject = objectAt(properties, 'inputs');
	return Object.keys(inputs).filter((name) => {
		const uri = textAt(inputs, name, 'uri');
		// A version of a data asset does not change what it points to; what lies there is its author's word.
		const place = uri !== undefined && !/\/(data|models)\/[^/]+\/versions\/[^/]+$/.test(uri);
		return place && !uploads.has(uri.replace(/\/$/, ''));
	});
}
