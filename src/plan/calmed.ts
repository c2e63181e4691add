// Resources that somebody is changing right now, shown as they would be after the change. Pure.
import { isObject, type Json, objectAt, textAt } from '../json.ts';

const ENDED = new Set(['succeeded', 'failed', 'canceled']);

/**
 * The resource with no change of it under way: who plans does not wait for the end of one.
 * @param onState told of the state of a change
 */
export function calmed(resource: Json, onState: (state: string) => void): Json {
	const state = textAt(resource, 'properties', 'provisioningState');
	if (!isObject(resource) || state === undefined || ENDED.has(state.toLowerCase())) return resource;
	onState(state);
	return { ...resource, properties: { ...objectAt(resource, 'properties'), provisioningState: 'Succeeded' } };
}
