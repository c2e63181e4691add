// The identity that an endpoint or a compute runs under.

import { type JsonObject, jsonObject } from '../json.ts';
import { listOf, mapping, type Reader } from '../yaml/checks.ts';
import { text, word } from '../yaml/values.ts';

/** The identity of an endpoint or a compute. */
export interface ResourceIdentity {
	readonly type: 'system_assigned' | 'user_assigned' | 'none';
	/** ARM ids of the user-assigned identities. */
	readonly userAssigned: readonly string[];
}

const userAssigned: Reader<string> = mapping('a user-assigned identity', (map) => {
	map.ignore('client_id', 'object_id', 'principal_id', 'tenant_id');
	return map.required('resource_id', text);
});

/** A reader of `identity`. */
export const resourceIdentity: Reader<ResourceIdentity> = (node, reading) =>
	mapping('an identity', (map) => {
		map.ignore('principal_id', 'tenant_id');
		const type = map.required('type', word('system_assigned', 'user_assigned', 'none'));
		const identities = map.optional('user_assigned_identities', listOf(userAssigned)) ?? [];
		if (type === 'user_assigned' && identities.length === 0) {
			map.reading.fault(map.at, "A user-assigned identity needs 'user_assigned_identities' with a 'resource_id'.");
		}
		if (identities.length > 1) {
			map.reading.fault(map.at, 'Azure ML supports one user-assigned identity here.');
		}
		return { type, userAssigned: identities };
	})(node, reading);

/** An identity as an ARM resource holds it; an absent one is system-assigned. */
export function resourceIdentityBody(identity: ResourceIdentity | undefined): JsonObject {
	const types = { system_assigned: 'SystemAssigned', user_assigned: 'UserAssigned', none: 'None' };
	const ids = identity?.userAssigned ?? [];
	return jsonObject({
		type: types[identity?.type ?? 'system_assigned'],
		userAssignedIdentities: ids.length > 0 ? Object.fromEntries(ids.map((id) => [id, {}])) : undefined,
	});
}
