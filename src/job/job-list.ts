// Jobs of the workspace by what they carry: a bounded look at the service's list. What a job is stands in job.ts.
import type { Workspace } from '../azure/workspace.ts';
import { textAt } from '../json.ts';
import { type Job, jobFrom } from './job.ts';

/** A job of a list. */
export interface ListedJob extends Job {
	/** Milliseconds since the epoch; 0 where the service does not say. */
	readonly createdAt: number;
}

export interface JobSearch {
	/** Only jobs that carry this tag. */
	readonly tag?: string;
	/** Only jobs that carry this property with this value. */
	readonly property?: readonly [name: string, value: string];
	/** What is tried, to stand after "Could not". */
	readonly doing: string;
	readonly signal: AbortSignal;
}

/** How many jobs are looked at, at the most. In which order the service lists them is not documented. */
const LOOKED_AT = 200;

/**
 * The jobs that a search finds, the newest first.
 * @throws ServiceError where the list cannot be read
 */
export async function listJobs(workspace: Workspace, search: JobSearch): Promise<readonly ListedJob[]> {
	const { tag, property, doing, signal } = search;
	const query = {
		...(tag === undefined ? {} : { tag }),
		...(property === undefined ? {} : { properties: property.join('=') }),
	};
	const found: ListedJob[] = [];
	let looked = 0;
	for await (const item of workspace.arm.list(`${workspace.id}/jobs`, { doing, query, signal })) {
		const name = textAt(item, 'name');
		if (name !== undefined) {
			const job = jobFrom(item, workspace, name);
			// What the filters do is the service's to say, and a filter that it passed over must not change what is found.
			const tagged = tag === undefined || Object.hasOwn(job.tags, tag);
			const owned = property === undefined || job.properties[property[0]] === property[1];
			const created = Date.parse(textAt(item, 'systemData', 'createdAt') ?? '');
			if (tagged && owned) found.push({ ...job, createdAt: Number.isNaN(created) ? 0 : created });
		}
		looked += 1;
		if (looked === LOOKED_AT) break;
	}
	return found.sort((a, b) => b.createdAt - a.createdAt);
}
