// What a job's body needs besides the job's file: the names it gets and the ids of what it refers to.
import type { IdOf } from '../../asset/dependency.ts';
import type { JsonObject } from '../../json.ts';

/** What every translation to a body needs. */
export interface BodyContext {
	/** ARM id of the workspace: `/subscriptions/…/workspaces/<name>`. */
	readonly workspaceId: string;
	/** Ids of the dependencies, already published. */
	readonly idOf: IdOf;
}

/** What the translation of a whole job needs. */
export interface JobContext extends BodyContext {
	/** The job's name, which is also its display name where the file gives none. */
	readonly name: string;
	/** The experiment's name where the file gives none. */
	readonly experimentName: string;
}

/** The body of `PUT jobs/{name}`. */
export interface JobBody {
	readonly properties: JsonObject;
}
