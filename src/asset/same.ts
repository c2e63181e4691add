// Whether something in the workspace is what a body asks for. The service adds what was left out and spells some
// values in its own way, so equality is too strict a question.
import { isObject, type Json } from '../json.ts';

/** Whether everything that is wanted is there; what the service has added does not matter. */
export function covers(there: Json | undefined, wanted: Json | undefined): boolean {
	if (wanted === undefined || wanted === null) return true;
	if (isObject(wanted)) {
		return Object.entries(wanted).every(([key, value]) => covers(isObject(there) ? there[key] : undefined, value));
	}
	if (Array.isArray(wanted)) {
		const items: readonly Json[] = Array.isArray(there) ? there : [];
		return items.length === wanted.length && wanted.every((item, place) => covers(items[place], item));
	}
	return plain(there) === plain(wanted);
}

/** Booleans and numbers come back as texts (`"True"`), ids in other letter case and with or without `azureml:`. */
function plain(value: Json | undefined): string {
	const text = String(value);
	return /^(azureml:)?\/subscriptions\//i.test(text)
		? text.replace(/^azureml:/i, '').toLowerCase()
		: text.replace(/^(true|false)$/i, (word) => word.toLowerCase());
}

/** The same value with the keys of its objects in order, so that equal values have equal texts. */
export function sorted(value: Json): Json {
	if (Array.isArray(value)) return value.map(sorted);
	if (!isObject(value)) return value;
	const entries = Object.entries(value).flatMap(([key, item]) =>
		item === undefined ? [] : [[key, sorted(item)] as const],
	);
	return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
