// One request to Resource Manager after sign-in and routing, and how resources are named, made and shown.

import { armError, isoTime, LOCATION, serviceError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { PathNames } from '../router.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';

/** A JSON object of unknown content. */
export type Json = Record<string, unknown>;

/** A request to a workspace, or to what is around it. */
export interface ArmCall {
	platform: Platform;
	names: PathNames;
	query: URLSearchParams;
	/** The parsed body; an empty object when there is none. */
	body: Json;
	/** The request's own URL, for `Location`. */
	url: string;
	apiVersion: string;
}

/** Answers one kind of request. */
export type ArmHandler = (call: ArmCall) => Answer | Promise<Answer>;

const PROVIDER = 'Microsoft.MachineLearningServices';
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$/;

/** Gives the ARM id of the workspace of a call. */
export function workspaceId(call: ArmCall): string {
	const { subscription, group, workspace } = call.names;
	return `/subscriptions/${subscription}/resourceGroups/${group}/providers/${PROVIDER}/workspaces/${workspace}`;
}

/** Gives the key of something below the workspace of a call, e.g. `keyOf(call, 'codes', name, 'versions', '1')`. */
export function keyOf(call: ArmCall, ...path: string[]): string {
	// A workspace's name is matched without regard to case; what is below it keeps its case.
	return [(call.names['workspace'] ?? '').toLowerCase(), ...path.map(encodeURIComponent)].join('/');
}

/** Makes a new resource below the workspace, or gives an existing one a new time of change. */
export function makeResource(call: ArmCall, path: string[], properties: Json): Resource {
	const key = keyOf(call, ...path);
	const now = isoTime(call.platform.clock());
	const before = call.platform.state.resources.get(key);
	return {
		id: `${workspaceId(call)}/${path.join('/')}`,
		name: path.at(-1) ?? '',
		type: [`${PROVIDER}/workspaces`, ...path.filter((_, index) => index % 2 === 0)].join('/'),
		properties,
		systemData: {
			createdAt: before?.systemData.createdAt ?? now,
			createdBy: 'Emulated Principal',
			createdByType: 'Application',
			lastModifiedAt: now,
			lastModifiedBy: 'Emulated Principal',
			lastModifiedByType: 'Application',
		},
	};
}

/** Shows a resource without what only the service knows. */
export function shown(resource: Resource): Json {
	const { secret: _, ...rest } = resource;
	return { ...rest };
}

/** Answers 200 with a resource. */
export function found(resource: Resource): Answer {
	return { status: 200, headers: standard, json: shown(resource) };
}

/** Answers a synchronous PUT: 201 with `Location` when the resource is new, else 200. */
export function stored(call: ArmCall, resource: Resource, isNew: boolean): Answer {
	const headers = isNew ? { ...standard, Location: call.url } : standard;
	return { status: isNew ? 201 : 200, headers, json: shown(resource) };
}

/** The header by which the front end marks an answer that is no error. */
export const standard = { 'x-ms-response-type': 'standard' };

/** Answers a page of resources; `nextLink` leads on while there are more. */
export function page(call: ArmCall, items: Resource[], pageSize = 100): Answer {
	const from = Number(
		Buffer.from(call.query.get('$skip') ?? '', 'base64url')
			.toString()
			.replace('skip:', '') || 0,
	);
	const asked = Number(call.query.get('$top') ?? call.query.get('count') ?? Number.NaN);
	const isTop = call.query.has('$top');
	const size = Number.isFinite(asked) && asked > 0 ? Math.min(asked, pageSize) : pageSize;
	const value = items.slice(from, from + size).map(shown);
	const left = items.length - from - value.length;
	// `$top` limits the whole list, `count` only a page.
	if (left <= 0 || (isTop && from + size >= asked)) return { status: 200, headers: standard, json: { value } };
	const next = new URL(call.url);
	next.searchParams.set('$skip', Buffer.from(`skip:${from + size}`).toString('base64url'));
	return { status: 200, headers: standard, json: { value, nextLink: next.toString() } };
}

/** Leaves out what the `listViewType` of a list call hides: archived things, unless they are asked for. */
export function inView(call: ArmCall, items: Resource[]): Resource[] {
	const view = call.query.get('listViewType') ?? 'ActiveOnly';
	if (view === 'All') return items;
	return items.filter((item) => (item.properties['isArchived'] === true) === (view === 'ArchivedOnly'));
}

/** Refuses a name that Azure ML would not take for a new resource. */
export function checkName(kind: string, name: string, pattern: RegExp = NAME): void {
	if (pattern.test(name)) return;
	throw serviceError(
		400,
		'UserError',
		`The name '${name}' of the ${kind} is invalid. It must match ${pattern.source}.`,
		{
			inner: ['BadArgument', 'ArgumentInvalid'],
			target: 'name',
		},
	);
}

/** Gives the `properties` of a body; refuses a body without them. */
export function propertiesOf(body: Json): Json {
	const { properties } = body;
	if (isObject(properties)) return properties;
	throw armError(400, 'InvalidRequestContent', "The request content was invalid: 'properties' is missing.");
}

/** Tells an object of JSON from its other values. */
export function isObject(value: unknown): value is Json {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Gives a value that is an object, and an empty one for anything else. */
export function objectOf(value: unknown): Json {
	return isObject(value) ? value : {};
}

/** Gives a value that is text, and `undefined` for anything else. */
export function textOf(value: unknown): string | undefined {
	return typeof value === 'string' ? value : undefined;
}

/** Refuses a location other than the workspace's, as endpoints and computes must be in its region. */
export function checkLocation(body: Json): void {
	const location = textOf(body['location'])?.replace(/\s/g, '').toLowerCase();
	if (location === LOCATION) return;
	throw serviceError(
		400,
		'UserError',
		location === undefined
			? "The request has no 'location'. Give the region of the workspace."
			: `The location '${location}' is not the region of the workspace, ${LOCATION}.`,
		{ inner: ['BadArgument', 'ArgumentInvalid'], target: 'location' },
	);
}
