// A resource manager that changes nothing: reads go through, writes go into the plan, and what is planned is there for the
// reads that come after. So the steps of a run need not know that they are only tried.
import { apiVersionOf } from '../azure/api-versions.ts';
import type { Arm, ArmAnswer, ArmCall } from '../azure/arm.ts';
import { ServiceError } from '../errors.ts';
import { type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import { calmed } from './calmed.ts';
import type { Plan, PlannedMethod } from './plan.ts';
import { PlannedResources } from './planned-resources.ts';
import { BLOB_URL, readablePath, UNKNOWN } from './unknowns.ts';

/** The POSTs that only ask. */
const ASKING = /\/(listKeys|listSecrets|listNodes|token|getLogs)$/i;

/** Of a request that changes what an earlier one of the same plan has made. */
const REST_OF_NEW = 'What the service adds to the new thing, which a real run sends back to it.';

/** The datastore that a workspace has from its beginning on. */
const FIRST_DATASTORE: JsonObject = {
	name: 'workspaceblobstore',
	properties: {
		datastoreType: 'AzureBlob',
		accountName: UNKNOWN.account,
		containerName: UNKNOWN.container,
		isDefault: true,
	},
};

/** A planning resource manager, and what it knows. */
export interface PlanningArm extends Arm {
	/** Whether the thing at this path, or one above it, would be made by the run: the service has nothing there yet. */
	isNew(path: string): boolean;
	/** Takes a thing to be there from now on, because something that is planned brings it about. */
	expect(path: string): void;
}

/** Puts a plan between its callers and the service. */
export function createPlanningArm(base: Arm, plan: Plan): PlanningArm {
	return new Planning(base, plan);
}

class Planning implements PlanningArm {
	readonly #base: Arm;
	readonly #plan: Plan;
	readonly #resources = new PlannedResources();

	constructor(base: Arm, plan: Plan) {
		this.#base = base;
		this.#plan = plan;
	}

	isNew(path: string): boolean {
		return this.#resources.isNew(path);
	}

	expect(path: string): void {
		this.#resources.put(path, {});
	}

	async get(path: string, call: ArmCall): Promise<Json> {
		const own = this.#resources.at(path);
		if (own !== undefined) return own;
		if (this.isNew(path)) {
			if (/\/workspaces\/[^/]+\/datastores$/.test(path)) return { value: [FIRST_DATASTORE] };
			throw new ServiceError({ what: `Could not ${call.doing}.`, why: 'It is not there.' }, { status: 404 });
		}
		return this.#told(path, await this.#base.get(path, call));
	}

	async find(path: string, call: ArmCall): Promise<Json | undefined> {
		const own = this.#resources.at(path);
		if (own !== undefined) return own;
		if (this.#resources.isDeleted(path)) return undefined;
		const found = this.isNew(path) ? undefined : await this.#base.find(path, call);
		const told = found === undefined ? undefined : this.#told(path, found);
		this.#resources.saw(path, told);
		return this.#resources.withPlanned(path, told);
	}

	async *list(path: string, call: ArmCall): AsyncIterable<Json> {
		const planned = this.#resources.below(path);
		yield* planned;
		if (this.isNew(path)) return;
		const names = new Set(planned.map((item) => textAt(item, 'name')?.toLowerCase()));
		for await (const item of this.#base.list(path, call)) {
			const name = textAt(item, 'name') ?? '';
			if (names.has(name.toLowerCase()) || this.#resources.isDeleted(`${path}/${name}`)) continue;
			yield this.#told(`${path}/${name}`, item);
		}
	}

	async put(path: string, body: Json, call: ArmCall): Promise<ArmAnswer> {
		const again = this.isNew(path) && this.#resources.at(path) !== undefined;
		this.#add('PUT', path, objectAt(body), call, again ? [REST_OF_NEW] : []);
		return { status: 201, headers: {}, body: this.#resources.put(path, objectAt(body)) };
	}

	async post(path: string, body: Json | undefined, call: ArmCall): Promise<ArmAnswer> {
		if (ASKING.test(path)) {
			return this.isNew(path) ? { status: 200, headers: {}, body: undefined } : this.#base.post(path, body, call);
		}
		this.#add('POST', path, body === undefined ? null : objectAt(body), call);
		return { status: 200, headers: {}, body: path.endsWith('/startPendingUpload') ? pendingUpload() : undefined };
	}

	async delete(path: string, call: ArmCall): Promise<ArmAnswer> {
		const there = (await this.find(path, call)) !== undefined;
		this.#add('DELETE', path, null, call);
		if (!there) this.#plan.note(`There is nothing to delete at ${path.split('/').slice(-2).join('/')}.`);
		this.#resources.delete(path);
		return { status: there ? 200 : 204, headers: {}, body: undefined };
	}

	/** Nothing that is planned takes time, and for what others do nobody waits here. */
	async settle(
		path: string,
		answer: ArmAnswer,
		{ doing, signal }: Parameters<Arm['settle']>[2],
	): Promise<Json | undefined> {
		return this.#resources.at(path) ?? answer.body ?? this.find(path, { doing, signal });
	}

	#add(
		method: PlannedMethod,
		path: string,
		body: JsonObject | null,
		{ query = {} }: ArmCall,
		undecided: readonly string[] = [],
	): void {
		const search = new URLSearchParams({ 'api-version': apiVersionOf(path), ...query });
		this.#plan.add(
			{ method, path: `${readablePath(path)}?${search.toString().replaceAll('+', '%20')}`, body },
			undecided,
		);
	}

	#told(path: string, resource: Json): Json {
		return calmed(resource, (state) => {
			const what = path.split('/').slice(-2).join('/');
			this.#plan.note(`${what} is in the state ${state}; a real run waits for the end of that.`);
		});
	}
}

function pendingUpload(): Json {
	const credential = { credentialType: 'SAS', sasUri: BLOB_URL };
	return { blobReferenceForConsumption: { blobUri: UNKNOWN.blobUri, credential } };
}
