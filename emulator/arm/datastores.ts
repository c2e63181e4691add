// Datastores and their secrets. Two are there from the start, both in the emulator's own storage account.

import { serviceError } from '../errors.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';
import { ACCOUNT, ARTIFACT_CONTAINER, BLOB_CONTAINER } from '../storage.ts';
import {
	type ArmCall,
	checkName,
	found,
	isObject,
	type Json,
	keyOf,
	makeResource,
	objectOf,
	page,
	propertiesOf,
	standard,
	stored,
} from './call.ts';
import type { ArmRoutes } from './face.ts';
import { checkBody } from './schemas.ts';

/** The datastore that files are uploaded to unless another one is named. */
export const DEFAULT_DATASTORE = 'workspaceblobstore';
/** The datastore of the artifacts of runs. */
export const ARTIFACT_DATASTORE = 'workspaceartifactstore';

/** Adds the routes of datastores. */
export function routeDatastores(routes: ArmRoutes): void {
	routes
		.workspace('GET', '/datastores', list)
		.workspace('GET', '/datastores/{name}', (call) => found(datastoreOf(call)))
		.workspace('PUT', '/datastores/{name}', put)
		.workspace('DELETE', '/datastores/{name}', (call) => ({
			status: call.platform.state.resources.remove(keyOf(call, 'datastores', call.names['name'] ?? '')) ? 200 : 204,
		}))
		.workspace('POST', '/datastores/{name}/listSecrets', listSecrets);
}

/** Puts the two system datastores into the workspace of a call. Their addresses follow the port of this start. */
export function furnishDatastores(call: ArmCall): void {
	const containers: [string, string][] = [
		[DEFAULT_DATASTORE, BLOB_CONTAINER],
		[ARTIFACT_DATASTORE, ARTIFACT_CONTAINER],
	];
	for (const [name, containerName] of containers) {
		const datastore = makeResource(call, ['datastores', name], {
			description: null,
			tags: null,
			properties: null,
			isDefault: name === DEFAULT_DATASTORE,
			credentials: { credentialsType: 'AccountKey' },
			datastoreType: 'AzureBlob',
			accountName: ACCOUNT,
			containerName,
			endpoint: call.platform.storage.suffix,
			protocol: call.platform.storage.protocol,
			serviceDataAccessAuthIdentity: 'WorkspaceSystemAssignedIdentity',
		});
		call.platform.state.resources.put(keyOf(call, 'datastores', name), datastore);
	}
}

function datastoreOf(call: ArmCall): Resource {
	const name = call.names['name'] ?? '';
	const datastore = call.platform.state.resources.get(keyOf(call, 'datastores', name));
	if (datastore) return datastore;
	throw serviceError(404, 'UserError', `Could not find datastore: ${name}.`, { inner: ['NotFoundError'] });
}

function list(call: ArmCall): Answer {
	const wanted = call.query.get('isDefault');
	const names = call.query.getAll('names').flatMap((text) => text.split(','));
	const datastores = call.platform.state.resources
		.list(keyOf(call, 'datastores'))
		.filter((one) => wanted === null || String(one.properties['isDefault']) === wanted.toLowerCase())
		.filter((one) => names.length === 0 || names.includes(one.name));
	return page(call, datastores, 30);
}

function put(call: ArmCall): Answer {
	const name = call.names['name'] ?? '';
	checkName('datastore', name);
	checkBody('datastores', call.body);
	const key = keyOf(call, 'datastores', name);
	const before = call.platform.state.resources.get(key);
	const given = propertiesOf(call.body);
	const credentials = objectOf(given['credentials']);
	const properties: Json = {
		description: null,
		tags: {},
		properties: {},
		serviceDataAccessAuthIdentity: 'None',
		...(given['datastoreType'] === 'AzureBlob' ? { endpoint: 'core.windows.net', protocol: 'https' } : {}),
		...given,
		isDefault: before?.properties['isDefault'] ?? false,
		credentials: withoutSecrets(credentials),
	};
	const datastore = makeResource(call, ['datastores', name], properties);
	if (isObject(credentials['secrets'])) datastore.secret = credentials['secrets'];
	call.platform.state.resources.put(key, datastore);
	return stored(call, datastore, before === undefined);
}

function withoutSecrets(credentials: Json): Json {
	const { secrets: _, ...rest } = credentials;
	return rest;
}

function listSecrets(call: ArmCall): Answer {
	const { properties, secret } = datastoreOf(call);
	const type = objectOf(properties['credentials'])['credentialsType'];
	if (secret) return { status: 200, headers: standard, json: { secretsType: type, ...secret } };
	if (type === 'AccountKey' && properties['accountName'] === ACCOUNT)
		// Also where `expirableSecret` is asked for: azure-ai-ml signs the addresses of logs with what it gets.
		return { status: 200, headers: standard, json: { secretsType: type, key: call.platform.storage.accountKey } };
	throw serviceError(400, 'UserError', `The datastore ${call.names['name']} has no stored credentials.`, {
		inner: ['BadArgument', 'NoSecrets'],
	});
}
