// The data collector of an online deployment: which payloads are kept for monitoring.

import type { Dependency, IdOf } from '../asset/dependency.ts';
import { assetReference, parseAssetReference } from '../asset/reference.ts';
import { type JsonObject, jsonObject, mapValues } from '../json.ts';
import { listOf, MapReader, mapOf, mapping, type Reader } from '../yaml/checks.ts';
import { boolean, number, stringified, text, word } from '../yaml/values.ts';

/** The data asset of a collection. */
export type CollectedData = Extract<Dependency, { need: 'reference' }>;

/** One collection of payloads, e.g. `model_inputs`. */
export interface Collection {
	readonly enabled: boolean;
	/** The data asset that the payloads go to; where the file names none, the service is left to choose. */
	readonly data: CollectedData | undefined;
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

const dataAsset: Reader<CollectedData> = (node, reading) => {
	if (node.kind !== 'map') {
		return { need: 'reference', reference: assetReference('data')(node, reading) };
	}
	const map = new MapReader(node, reading, 'the data of a collection');
	const id = map.optional('data_id', text);
	const name = map.optional('name', text);
	const version = map.optional('version', stringified) ?? '1';
	if (map.has('path')) {
		const next = 'Register the data asset with `asset-files`, where its path can be given.';
		reading.warn(
			map.node('path')?.at ?? map.at,
			`'path' is left out: a collection goes to an asset that is there. ${next}`,
		);
	}
	if (id === undefined && name === undefined) {
		reading.fault(map.at, "The data of a collection needs 'name' (and 'version') or 'data_id'.");
	}
	map.done();
	const found = parseAssetReference('data', id ?? `azureml:${name}:${version}`, node.at);
	if (typeof found === 'string') {
		reading.fault(node.at, found);
		return { need: 'reference', reference: { form: 'uri', kind: 'data', uri: '', at: node.at } };
	}
	return { need: 'reference', reference: found };
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

/** What a data collector needs to exist. */
export function collectedData(collector: DataCollector | undefined): readonly CollectedData[] {
	return [...(collector?.collections.values() ?? [])].flatMap((one) => (one.data === undefined ? [] : [one.data]));
}

/** A data collector as the REST body of a deployment holds it. */
export function dataCollectorBody(collector: DataCollector, idOf: IdOf): JsonObject {
	const rates = { minute: 'Minute', hour: 'Hour', day: 'Day' };
	return jsonObject({
		collections: mapValues(collector.collections, (one) =>
			jsonObject({
				dataCollectionMode: one.enabled ? 'Enabled' : 'Disabled',
				dataId: one.data && idOf(one.data),
				clientId: one.clientId,
				samplingRate: collector.samplingRate,
			}),
		),
		rollingRate: collector.rollingRate && rates[collector.rollingRate],
		requestLogging: collector.captureHeaders && { captureHeaders: collector.captureHeaders },
	});
}
