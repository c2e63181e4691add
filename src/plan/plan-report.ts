// A plan as people are told of it: each request by method, kind and name. Pure.
import { bytesText, filesText } from '../asset/amount.ts';
import { at, numberAt, objectAt, textAt } from '../json.ts';
import type { PlannedMethod, PlannedRequest } from './plan.ts';

/** One planned request in few words. */
export interface PlannedLine {
	readonly method: PlannedMethod;
	/** `environment`, `job`, `deployment of the online endpoint e`, … */
	readonly kind: string;
	/** With the version, where there is one, and what else tells requests for the same thing apart. */
	readonly name: string;
	/** Something in it is known in a real run only. */
	readonly open: boolean;
}

/** What the report shows of a plan. */
export interface PlanReport {
	/** Absolute path of the file. */
	readonly path: string;
	readonly requests: readonly PlannedLine[];
}

const KINDS: Readonly<Record<string, string>> = {
	workspaces: 'workspace',
	codes: 'code',
	computes: 'compute',
	components: 'component',
	data: 'data asset',
	datastores: 'datastore',
	environments: 'environment',
	jobs: 'job',
	models: 'model',
	registries: 'registry',
	onlineEndpoints: 'online endpoint',
	batchEndpoints: 'batch endpoint',
};

/** A request in few words. */
export function lineOf({ method, path, body, undecided }: PlannedRequest): PlannedLine {
	const open = undecided.length > 0;
	if (method === 'UPLOAD') {
		const amount = `${filesText(numberAt(body, 'files') ?? 0)}, ${bytesText(numberAt(body, 'bytes') ?? 0)}`;
		return { method, kind: 'files', name: `${textAt(body, 'from') ?? ''} (${amount})`, open };
	}
	const [collection = '', name = '', ...more] = (path.split('?')[0] ?? '')
		.replace(/^.*\/Microsoft\.MachineLearningServices\/(?:workspaces\/[^/]+\/(?=.))?/i, '')
		.split('/')
		.map(decoded);
	const kind = KINDS[collection] ?? collection;
	const line = (of: string, what: string, action?: string): PlannedLine => {
		return { method, kind: of, name: action === undefined ? what : `${what} (${action})`, open };
	};
	if (more[0] === 'versions') return line(kind, `${name}:${more[1] ?? ''}`, more[2]);
	if (more[0] === 'deployments') return line(`deployment of the ${kind} ${name}`, more[1] ?? '', more[2]);
	return line(kind, name, more[0] ?? sharesIn(body));
}

/** A line of the log. */
export function toldLine({ method, kind, name }: PlannedLine): string {
	return `Planned: ${method} ${kind} ${name}`;
}

/** What an endpoint's body says of who serves. */
function sharesIn(body: PlannedRequest['body']): string | undefined {
	const traffic = objectAt(body, 'properties', 'traffic');
	const shares = Object.keys(traffic).map((name) => `${name} ${String(at(traffic, name))} %`);
	const serving = textAt(body, 'properties', 'defaults', 'deploymentName');
	if (serving !== undefined) return `default deployment ${serving}`;
	return shares.length === 0 ? undefined : `traffic ${shares.join(', ')}`;
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
