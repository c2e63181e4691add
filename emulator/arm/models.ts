// Model versions: where their content comes from is resolved and looked up before they are registered.

import { parse } from 'yaml';
import { serviceError } from '../errors.ts';
import { blobsAt } from '../files.ts';
import { longUri } from './asset-kinds.ts';
import { type AssetKind, pathFixed } from './assets.ts';
import { type ArmCall, type Json, keyOf, objectOf, textOf } from './call.ts';
import { type Place, References } from './references.ts';

/** Models. */
export const MODELS: AssetKind = {
	kind: 'models',
	noun: 'model',
	schema: 'models_versions',
	absent: (name, version) =>
		serviceError(404, 'UserError', 'The specified resource was not found.', {
			details: [
				version === undefined
					? { code: 'ModelNotFound', message: `Model container with name: ${name} not found.` }
					: { code: 'NoSuchModelRegistered', message: `There is no registered model with id ${name}:${version}` },
			],
		}),
	accept: async (call, given) => {
		const uri = textOf(given['modelUri']) ?? '';
		const place = await contentOf(call, uri);
		const modelType = textOf(given['modelType']) ?? 'custom_model';
		return {
			flavors: given['flavors'] ?? (modelType === 'mlflow_model' ? await readFlavors(call, place) : {}),
			modelType,
			modelUri: keptUri(call, uri, place),
			// The service knows the job of a URI that names one; that it fills this for every such URI is not confirmed.
			jobName: given['jobName'] ?? place.jobName ?? null,
			stage: given['stage'] ?? null,
		};
	},
	checkUpdate: (call, before, given) => {
		const uri = textOf(given['modelUri']);
		if (uri === undefined) return;
		const references = new References(call.platform, call.names['workspace'] ?? '');
		const [old, now] = [String(before.properties['modelUri']), uri].map((one) => placeName(references, one));
		if (old !== now) throw pathFixed();
	},
};

/** A URI by way of a job or run is kept as the place in a datastore that it stood for. */
function keptUri(call: ArmCall, uri: string, place: Place): string {
	if (place.jobName === undefined) return longUri(call, uri);
	const stores = call.platform.state.resources.list(keyOf(call, 'datastores'));
	const store = stores.find((one) => one.properties['containerName'] === place.container)?.name;
	return longUri(call, `azureml://datastores/${store}/paths/${place.path}`);
}

function placeName(references: References, uri: string): string {
	try {
		const { container, path } = references.place(uri);
		return `${container}/${path.replace(/\/+$/, '')}`;
	} catch {
		return uri;
	}
}

async function contentOf(call: ArmCall, uri: string): Promise<Place> {
	let place: Place;
	try {
		place = new References(call.platform, call.names['workspace'] ?? '').place(uri);
	} catch (error) {
		throw refused(400, `The modelUri is invalid: ${error instanceof Error ? error.message : String(error)}`);
	}
	const { blobs } = await blobsAt(call.platform.storage, place);
	if (blobs.length > 0) return place;
	throw refused(
		404,
		`The model's content was not found: nothing is stored at ${uri} (${place.container}/${place.path}).`,
	);
}

function refused(status: number, message: string) {
	return serviceError(status, 'UserError', message, {
		inner: status === 404 ? ['NotFound', 'ModelPathNotFound'] : ['BadArgument', 'ArgumentInvalid'],
	});
}

/** Reads the flavors of an MLflow model from its MLmodel file, every value as text. */
async function readFlavors(call: ArmCall, place: Place): Promise<Json> {
	const path = [place.path.replace(/\/+$/, ''), 'MLmodel'].filter(Boolean).join('/');
	const text = await call.platform.storage.read(place.container, path);
	// Whether the service refuses an mlflow_model without this file is not confirmed.
	if (text === undefined) return {};
	let document: Json;
	try {
		// Without types: a version such as 3.10 is a text, not a number.
		document = objectOf(parse(text.toString('utf8'), { schema: 'failsafe' }));
	} catch {
		throw refused(400, `The MLmodel file at ${place.container}/${path} is not YAML.`);
	}
	const flavors = Object.entries(objectOf(document['flavors']));
	return Object.fromEntries(flavors.map(([name, data]) => [name, { data: asTexts(objectOf(data)) }]));
}

function asTexts(data: Json): Json {
	const entries = Object.entries(data).filter(([, value]) => value !== null && value !== 'null');
	return Object.fromEntries(
		entries.map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
	);
}
