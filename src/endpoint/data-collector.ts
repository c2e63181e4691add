// The data collector of an online deployment: which payloads are kept for monitoring.

import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { asText, listOf, mapOf, mapping, type Reader } from '../yaml/checks.ts';
import { boolean, number, stringified, text, word } from '../yaml/values.ts';

/** One collection of payloads, e.g. `model_inputs`. */
export interface Collection {
	readonly enabled: boolean;
	/** The data asset that the payloads go to, as written. */
	readonly data: string | undefined;
	readonly clientId: string | undefined;
}

/** The data collector of an online deployment. */
export interface DataCollector {
	readonly collections: ReadonlyMap<string, Collection>;
	readonly rollingRate: 'minute' | 'hour' | 'day' | undefined;
	/** From 0 to 1; holds for each collection. */
	readonly samplingRate: number | undefined;
	readonly captureHeaders: readonly string[] | undefined;
}

const dataAsset: Reader<string> = (node, reading) => {
	if (asText(node) !== undefined) {
		return text(node, reading);
	}
	return mapping('the data of a collection', (map) => {
		const name = map.optional('name', text);
		const version = map.optional('version', stringified);
		map.ignore('path');
		const id = map.optional('data_id', text);
		return id ?? (version === undefined ? `${name ?? ''}` : `${name ?? ''}:${version}`);
	})(node, reading);
};

const collection: Reader<Collection> = mapping('a collection', (map) => ({
	enabled: map.required('enabled', boolean),
	data: map.optional('data', dataAsset),
	clientId: map.optional('client_id', text),
}));

const samplingRate: Reader<number> = (node, reading) => {
	const rate = number(node, reading);
	if (rate < 0 || rate > 1) {
		reading.fault(node.at, "'sampling_rate' is a number from 0 to 1.");
	}
	return rate;
};

/** A reader of `data_collector`. */
export const dataCollector: Reader<DataCollector> = mapping('data_collector', (map) => ({
	collections: map.required('collections', mapOf(collection)),
	rollingRate: map.optional('rolling_rate', word('minute', 'hour', 'day')),
	samplingRate: map.optional('sampling_rate', samplingRate),
	captureHeaders: map.optional(
		'request_logging',
		mapping('request_logging', (logging) => logging.optional('capture_headers', listOf(text)) ?? []),
	),
}));

/** A data collector as the REST body of a deployment holds it. */
export function dataCollectorBody(collector: DataCollector): JsonObject {
	const rates = { minute: 'Minute', hour: 'Hour', day: 'Day' };
	return jsonObject({
		collections: mapValues(collector.collections, (one) =>
			jsonObject({
				dataCollectionMode: one.enabled ? 'Enabled' : 'Disabled',
				dataId: one.data,
				clientId: one.clientId,
				samplingRate: collector.samplingRate,
			}),
		),
		rollingRate: collector.rollingRate && rates[collector.rollingRate],
		requestLogging: collector.captureHeaders && { captureHeaders: collector.captureHeaders },
	});
}
