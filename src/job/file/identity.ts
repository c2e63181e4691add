// The identity that a job runs under.

import { type JsonObject, jsonObject } from '../../json.ts';
import { MapReader, type Reader } from '../../yaml/checks.ts';
import { text, word } from '../../yaml/values.ts';

/** The identity that a job runs under; the ids are only there for a managed identity. */
export interface JobIdentity {
	readonly type: 'managed' | 'user_identity' | 'aml_token';
	readonly clientId: string | undefined;
	readonly objectId: string | undefined;
	readonly resourceId: string | undefined;
}

/** A reader of a job's `identity`. */
export const jobIdentity: Reader<JobIdentity> = (node, reading) => {
	const map = new MapReader(node, reading, 'an identity');
	const said = map.required('type', word('managed', 'managed_identity', 'user_identity', 'aml_token'));
	const type = said === 'managed_identity' ? 'managed' : said;
	const managed = type === 'managed';
	const identity = {
		type,
		clientId: managed ? map.optional('client_id', text) : undefined,
		objectId: managed ? map.optional('object_id', text) : undefined,
		resourceId: managed ? map.optional('msi_resource_id', text) : undefined,
	};
	map.done();
	return identity;
};

/** The identity as the REST body of a job holds it. */
export function identityBody(identity: JobIdentity): JsonObject {
	const types = { managed: 'Managed', user_identity: 'UserIdentity', aml_token: 'AMLToken' };
	const { type, ...ids } = identity;
	return jsonObject({ identityType: types[type], ...ids });
}
