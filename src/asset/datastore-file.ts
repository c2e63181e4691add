// A datastore as CLI v2 writes it, and its REST body. Its credentials are secrets: nobody prints them.
import type { Place } from '../errors.ts';
import { type JsonObject, jsonObject } from '../json.ts';
import { type MapReader, mapping, type Reader, Reading, type Warn } from '../yaml/checks.ts';
import type { YamlFile } from '../yaml/node.ts';
import { filledText, secretText, stringMap, text, word } from '../yaml/values.ts';

const DATASTORE_TYPES = {
	azure_blob: 'AzureBlob',
	azure_file: 'AzureFile',
	azure_data_lake_gen1: 'AzureDataLakeGen1',
	azure_data_lake_gen2: 'AzureDataLakeGen2',
	one_lake: 'OneLake',
} as const;

/** The types of datastore. */
export type DatastoreType = keyof typeof DATASTORE_TYPES;

/** How the workspace signs in to a datastore. */
export type DatastoreCredentials =
	| { readonly type: 'none' }
	| { readonly type: 'account_key'; readonly key: string }
	| { readonly type: 'sas'; readonly token: string }
	| {
			readonly type: 'service_principal' | 'certificate';
			readonly tenantId: string;
			readonly clientId: string;
			/** The client secret, or the certificate in PEM form. */
			readonly secret: string | undefined;
			readonly thumbprint: string | undefined;
			readonly authorityUrl: string | undefined;
			readonly resourceUrl: string | undefined;
	  };

/** A datastore as the user wrote it, checked. */
export interface DatastoreFile {
	readonly name: string;
	readonly type: DatastoreType;
	readonly description: string | undefined;
	readonly tags: ReadonlyMap<string, string>;
	readonly credentials: DatastoreCredentials;
	/** Account, container, endpoint and the like, named as the REST body names them. */
	readonly place: JsonObject;
	/** Every secret in the file, so that they can be masked before anything is logged. */
	readonly secrets: readonly string[];
	readonly at: Place;
}

const credentials: Reader<DatastoreCredentials> = mapping('credentials', (map) => {
	if (map.has('account_key')) {
		return { type: 'account_key', key: map.required('account_key', secretText) };
	}
	if (map.has('sas_token')) {
		return { type: 'sas', token: map.required('sas_token', secretText) };
	}
	if (map.has('tenant_id') || map.has('client_id')) {
		return tenantCredentials(map);
	}
	return { type: 'none' };
});

function tenantCredentials(map: MapReader): DatastoreCredentials {
	const certificate = map.has('thumbprint') || map.has('certificate');
	return {
		type: certificate ? 'certificate' : 'service_principal',
		tenantId: map.required('tenant_id', filledText),
		clientId: map.required('client_id', filledText),
		secret: certificate ? map.optional('certificate', secretText) : map.required('client_secret', secretText),
		thumbprint: certificate ? map.required('thumbprint', filledText) : undefined,
		authorityUrl: map.optional('authority_url', text) ?? map.optional('authority_uri', text),
		resourceUrl: map.optional('resource_url', text),
	};
}

const datastore: Reader<DatastoreFile> = mapping('a datastore', (map) => {
	map.ignore('$schema', 'id');
	const type = map.required(
		'type',
		word('azure_blob', 'azure_file', 'azure_data_lake_gen1', 'azure_data_lake_gen2', 'one_lake'),
	);
	const read = map.optional('credentials', credentials) ?? ({ type: 'none' } as const);
	return {
		name: map.required('name', filledText),
		type,
		description: map.optional('description', text),
		tags: map.optional('tags', stringMap) ?? new Map(),
		credentials: read,
		place: placeOf(map, type),
		secrets: secretsOf(read),
		at: map.at,
	};
});

function placeOf(map: MapReader, type: DatastoreType): JsonObject {
	const account = (key: string, name: string): JsonObject =>
		jsonObject({
			accountName: map.required('account_name', filledText),
			[name]: map.required(key, filledText),
			endpoint: map.optional('endpoint', text) ?? 'core.windows.net',
			protocol: map.optional('protocol', text) ?? 'https',
		});
	switch (type) {
		case 'azure_blob':
			return account('container_name', 'containerName');
		case 'azure_file':
			return account('file_share_name', 'fileShareName');
		case 'azure_data_lake_gen2':
			return account('filesystem', 'filesystem');
		case 'azure_data_lake_gen1':
			return { storeName: map.required('store_name', filledText) };
		case 'one_lake':
			return {
				oneLakeWorkspaceName: map.required('one_lake_workspace_name', filledText),
				endpoint: map.required('endpoint', filledText),
				artifact: map.required('artifact', lakeHouse),
			};
	}
}

const lakeHouse: Reader<JsonObject> = mapping('an artifact', (map) => {
	map.optional('type', word('lake_house'));
	return { artifactType: 'LakeHouse', artifactName: map.required('name', filledText) };
});

function secretsOf(read: DatastoreCredentials): readonly string[] {
	switch (read.type) {
		case 'none':
			return [];
		case 'account_key':
			return [read.key];
		case 'sas':
			return [read.token];
		default:
			return read.secret === undefined ? [] : [read.secret];
	}
}

/** Reads a datastore file. Throws a `FileError` with every fault. Warnings go to `warn`. */
export function readDatastoreFile(file: YamlFile, warn?: Warn): DatastoreFile {
	const reading = new Reading(file);
	const read = datastore(file.root, reading);
	reading.finish(warn);
	return read;
}

/** The body of `PUT datastores/{name}`. It holds secrets. */
export function datastoreBody(file: DatastoreFile): JsonObject {
	return {
		properties: jsonObject({
			datastoreType: DATASTORE_TYPES[file.type],
			description: file.description,
			tags: Object.fromEntries(file.tags),
			...file.place,
			credentials: credentialsBody(file.credentials),
		}),
	};
}

function credentialsBody(read: DatastoreCredentials): JsonObject {
	switch (read.type) {
		case 'none':
			return { credentialsType: 'None' };
		case 'account_key':
			return { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: read.key } };
		case 'sas':
			return { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: read.token } };
		default:
			return tenantBody(read);
	}
}

function tenantBody(read: Extract<DatastoreCredentials, { tenantId: string }>): JsonObject {
	const principal = read.type === 'service_principal';
	const secrets = principal
		? { secretsType: 'ServicePrincipal', clientSecret: read.secret }
		: { secretsType: 'Certificate', certificate: read.secret };
	return jsonObject({
		credentialsType: principal ? 'ServicePrincipal' : 'Certificate',
		tenantId: read.tenantId,
		clientId: read.clientId,
		thumbprint: read.thumbprint,
		authorityUrl: read.authorityUrl,
		resourceUrl: read.resourceUrl,
		secrets: jsonObject(secrets),
	});
}
