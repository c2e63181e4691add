// What environments, data, models and components have in common: containers, versions, their order and their rules.

import { serviceError } from '../errors.ts';
import type { Answer, AnswerError } from '../server.ts';
import type { Resource } from '../state.ts';
import {
	type ArmCall,
	checkName,
	found,
	inView,
	type Json,
	keyOf,
	makeResource,
	page,
	propertiesOf,
	standard,
	stored,
} from './call.ts';
import type { ArmRoutes } from './face.ts';
import { type BodyKind, checkBody } from './schemas.ts';

/** What tells one kind of asset from the others. */
export interface AssetKind {
	/** As the path spells it. */
	kind: string;
	/** For messages. */
	noun: string;
	schema: BodyKind;
	/** The 404 of a container (no version) or of a version. */
	absent(name: string, version?: string): AnswerError;
	/** Makes what the service keeps of a new version. May refuse it. */
	accept(call: ArmCall, given: Json, name: string, version: string): Json | Promise<Json>;
	/** Refuses a change of an existing version that must not be. */
	checkUpdate(call: ArmCall, before: Resource, given: Json, name: string): void;
	/** The version under which the service keeps what was put, when that is not the one in the path. */
	versionOf?(name: string, version: string, given: Json): string;
}

/** Adds the routes of one kind of asset. */
export function routeAssets(routes: ArmRoutes, kind: AssetKind): void {
	const at = `/${kind.kind}`;
	routes
		.workspace('GET', at, (call) =>
			page(call, inView(call, call.platform.state.resources.list(keyOf(call, kind.kind)))),
		)
		.workspace('GET', `${at}/{name}`, (call) => container(call, kind))
		.workspace('PUT', `${at}/{name}`, (call) => putContainer(call, kind))
		.workspace('DELETE', `${at}/{name}`, (call) => remove(call, kind, []))
		.workspace('GET', `${at}/{name}/versions`, (call) => versions(call, kind))
		.workspace('GET', `${at}/{name}/versions/{version}`, (call) => version(call, kind))
		.workspace('PUT', `${at}/{name}/versions/{version}`, (call) => putVersion(call, kind))
		.workspace('DELETE', `${at}/{name}/versions/{version}`, (call) =>
			remove(call, kind, ['versions', call.names['version'] ?? '']),
		);
}

/** Registers a version on behalf of the service, as the output of a job or at the start of a workspace. */
export function registerVersion(
	call: ArmCall,
	kind: string,
	name: string,
	version: string,
	properties: Json,
): Resource {
	const { resources } = call.platform.state;
	const made = makeResource(call, [kind, name, 'versions', version], properties);
	resources.put(keyOf(call, kind, name, 'versions', version), made);
	const key = keyOf(call, kind, name);
	const before = resources.get(key);
	const {
		latestVersion: _l,
		nextVersion: _n,
		...kept
	} = before?.properties ?? { description: null, tags: {}, properties: {}, isArchived: false };
	const dataType = kind === 'data' ? { dataType: properties['dataType'] } : {};
	const next = { latestVersion: version, nextVersion: nextVersion(resources.list(`${key}/versions`)) };
	resources.put(key, makeResource(call, [kind, name], { ...kept, ...dataType, ...next }));
	return made;
}

/** Gives the version after all numeric ones; `1` when there is none. */
export function nextVersion(existing: Resource[]): string {
	const numbers = existing.map((one) => Number(one.name)).filter((number) => Number.isInteger(number));
	return String(Math.max(0, ...numbers) + 1);
}

function container(call: ArmCall, kind: AssetKind): Answer {
	const name = call.names['name'] ?? '';
	const resource = call.platform.state.resources.get(keyOf(call, kind.kind, name));
	if (!resource) throw kind.absent(name);
	return found(resource);
}

function putContainer(call: ArmCall, kind: AssetKind): Answer {
	const name = call.names['name'] ?? '';
	checkName(kind.noun, name);
	const key = keyOf(call, kind.kind, name);
	const before = call.platform.state.resources.get(key);
	const first = {
		description: null,
		tags: {},
		properties: {},
		isArchived: false,
		latestVersion: null,
		nextVersion: '1',
	};
	const { latestVersion, nextVersion: next } = before?.properties ?? first;
	const given = { ...(before?.properties ?? first), ...propertiesOf(call.body), latestVersion, nextVersion: next };
	const resource = makeResource(call, [kind.kind, name], given);
	call.platform.state.resources.put(key, resource);
	return stored(call, resource, before === undefined);
}

function versions(call: ArmCall, kind: AssetKind): Answer {
	const name = call.names['name'] ?? '';
	const key = keyOf(call, kind.kind, name);
	if (!call.platform.state.resources.get(key)) throw kind.absent(name);
	const wanted = call.query.get('version');
	const all = inView(call, call.platform.state.resources.list(`${key}/versions`))
		.filter((one) => wanted === null || one.name === wanted)
		// Newest first, as `createdtime desc` asks; what the service does unasked is not confirmed.
		.reverse();
	const isAscending = /asc/i.test(call.query.get('$orderBy') ?? '');
	return page(call, isAscending ? all.reverse() : all);
}

function version(call: ArmCall, kind: AssetKind): Answer {
	const { name = '', version = '' } = call.names;
	const resource = call.platform.state.resources.get(keyOf(call, kind.kind, name, 'versions', version));
	if (!resource) throw kind.absent(name, version);
	return found(resource);
}

async function putVersion(call: ArmCall, kind: AssetKind): Promise<Answer> {
	const { name = '' } = call.names;
	const asked = call.names['version'] ?? '';
	checkName(kind.noun, name);
	checkBody(kind.schema, call.body);
	const given = propertiesOf(call.body);
	const kept = kind.versionOf?.(name, asked, given) ?? asked;
	const find = () => call.platform.state.resources.get(keyOf(call, kind.kind, name, 'versions', kept));
	const before = find();
	if (before) return changeVersion(call, kind, before, given);
	const accepted = await kind.accept(call, given, name, kept);
	const common = {
		description: given['description'] ?? null,
		tags: given['tags'] ?? {},
		properties: given['properties'] ?? {},
		isArchived: given['isArchived'] ?? false,
		isAnonymous: given['isAnonymous'] ?? false,
	};
	// While the content was looked at, somebody else may have made this version.
	const meanwhile = find();
	if (meanwhile) return changeVersion(call, kind, meanwhile, given);
	return stored(call, registerVersion(call, kind.kind, name, kept, { ...common, ...accepted }), true);
}

function changeVersion(call: ArmCall, kind: AssetKind, before: Resource, given: Json): Answer {
	const { name = '' } = call.names;
	kind.checkUpdate(call, before, given, name);
	const { description, tags, properties, isArchived, stage } = { ...before.properties, ...given };
	const changed = { description, tags, properties, isArchived, ...(stage === undefined ? {} : { stage }) };
	Object.assign(
		before,
		makeResource(call, [kind.kind, name, 'versions', before.name], { ...before.properties, ...changed }),
	);
	call.platform.state.resources.touch();
	return stored(call, before, false);
}

function remove(call: ArmCall, kind: AssetKind, below: string[]): Answer {
	const key = keyOf(call, kind.kind, call.names['name'] ?? '', ...below);
	return { status: call.platform.state.resources.remove(key) ? 200 : 204, headers: standard };
}

/** Makes the refusal of another path for an existing version. */
export function pathFixed(): AnswerError {
	return serviceError(400, 'UserError', 'Asset paths cannot be updated.', {
		inner: ['BadArgument', 'ArgumentInvalid'],
	});
}
