// Code versions: found by content hash, uploaded to a container of their own, then put.

import { randomUUID } from 'node:crypto';
import { serviceError } from '../errors.ts';
import { IDENTITY } from '../platform.ts';
import type { Answer } from '../server.ts';
import { ACCOUNT } from '../storage.ts';
import {
	type ArmCall,
	checkName,
	found,
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

/** Adds the routes of code versions. */
export function routeCodes(routes: ArmRoutes): void {
	routes
		.workspace('GET', '/codes/{name}/versions', list)
		.workspace('GET', '/codes/{name}/versions/{version}', get)
		.workspace('PUT', '/codes/{name}/versions/{version}', put)
		.workspace('DELETE', '/codes/{name}/versions/{version}', (call) => ({
			status: call.platform.state.resources.remove(key(call)) ? 200 : 204,
		}))
		.workspace('POST', '/codes/{name}/versions/{version}/startPendingUpload', startPendingUpload);
}

function key(call: ArmCall): string {
	return keyOf(call, 'codes', call.names['name'] ?? '', 'versions', call.names['version'] ?? '');
}

function list(call: ArmCall): Answer {
	const { resources } = call.platform.state;
	const hash = call.query.get('hash');
	if (hash === null) return page(call, resources.list(keyOf(call, 'codes', call.names['name'] ?? '', 'versions')));
	// A hash finds the content under whatever name it was put; the name in the path does not matter.
	const prefix = `${keyOf(call, 'codes')}/`;
	const hashVersion = call.query.get('hashVersion');
	const same = resources.entries().filter(([path, code]) => {
		const properties = objectOf(code.properties['properties']);
		const isVersion = path.startsWith(prefix) && properties['hash_sha256'] === hash;
		return isVersion && (hashVersion === null || properties['hash_version'] === hashVersion);
	});
	return page(
		call,
		same.map(([, code]) => code),
	);
}

function get(call: ArmCall): Answer {
	const code = call.platform.state.resources.get(key(call));
	if (code) return found(code);
	const { name, version } = call.names;
	throw serviceError(404, 'UserError', `Code asset ${name}:${version} not found.`, { inner: ['NotFoundError'] });
}

function put(call: ArmCall): Answer {
	const { name = '', version = '' } = call.names;
	checkName('code asset', name);
	checkBody('codes_versions', call.body);
	const given = propertiesOf(call.body);
	const before = call.platform.state.resources.get(key(call));
	if (before && before.properties['codeUri'] !== given['codeUri']) {
		throw serviceError(400, 'UserError', 'Asset paths cannot be updated.', {
			inner: ['BadArgument', 'ArgumentInvalid'],
		});
	}
	const code = makeResource(call, ['codes', name, 'versions', version], {
		description: given['description'] ?? null,
		tags: given['tags'] ?? {},
		properties: given['properties'] ?? {},
		isArchived: given['isArchived'] ?? false,
		// The service answers false whatever was put.
		isAnonymous: false,
		codeUri: given['codeUri'],
		provisioningState: 'Succeeded',
	});
	call.platform.state.resources.put(key(call), code);
	return stored(call, code, before === undefined);
}

async function startPendingUpload(call: ArmCall): Promise<Answer> {
	const { storage } = call.platform;
	checkName('code asset', call.names['name'] ?? '');
	const container = `upload-${randomUUID()}`;
	await storage.makeContainer(container);
	const account = `/subscriptions/${IDENTITY.subscriptionId}/resourceGroups/${IDENTITY.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`;
	const blobUri = storage.url(container);
	return {
		status: 200,
		headers: standard,
		json: {
			blobReferenceForConsumption: {
				blobUri,
				storageAccountArmId: account,
				credential: { credentialType: 'SAS', sasUri: `${blobUri}?${storage.signContainer(container, 'rcwl')}` },
			},
			pendingUploadId: call.body['pendingUploadId'] ?? randomUUID(),
			// The service answers None although a temporary blob reference was asked for.
			pendingUploadType: 'None',
		},
	};
}
