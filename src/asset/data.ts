// Uploads to a datastore, below `LocalUpload/<hash>`: local data, models and Docker build contexts. What was uploaded
// before, by this action or by the CLI, is not sent again.
import { randomUUID } from 'node:crypto';
import type { Datastore } from '../azure/workspace.ts';
import { bytesText, filesText } from './amount.ts';
import type { Content } from './content.ts';
import type { MadeAsset } from './made.ts';
import { type StorageParts, withDatastore } from './storage.ts';
import { isUploaded, type Upload, uploadContent } from './upload.ts';

/** A content in storage. */
export interface StoredContent {
	/** `azureml://datastores/<store>/paths/LocalUpload/<hash>/<base name>`, without a slash at its end. */
	readonly uri: string;
	/** The same as an https URL. */
	readonly url: string;
	readonly made: MadeAsset;
}

/** Where a content (hashed for uploads) stands in a datastore, whether it is there or not. */
export function placeIn(datastore: Datastore, content: Content): Pick<StoredContent, 'uri' | 'url'> {
	const below = `LocalUpload/${content.hash}/${content.base}`;
	return { uri: `azureml://datastores/${datastore.name}/paths/${below}`, url: `${datastore.containerUrl}/${below}` };
}

/** Uploads a content, unless it is there. */
export async function publishData(
	content: Content,
	written: string,
	datastore: Datastore,
	parts: StorageParts,
): Promise<StoredContent> {
	const home = `LocalUpload/${content.hash}`;
	const upload = {
		content,
		prefix: content.kind === 'folder' ? `${home}/${content.base}` : home,
		written,
		// Older clients take the name of a code asset from the mark, so it must be one that nothing else has.
		name: randomUUID(),
		version: '1',
	};
	const reused = await isThereOrSent(upload, datastore, parts);
	const place = placeIn(datastore, content);
	const amount = { files: content.files.length, bytes: content.bytes };
	const sizes = `${filesText(amount.files)}, ${bytesText(amount.bytes)}`;
	parts.log.info(
		`Files ${written}: ${sizes}, ${reused ? 'uploaded before' : 'uploaded'} (datastore ${datastore.name}).`,
	);
	return { ...place, made: { kind: 'data', name: content.base, id: place.uri, reused, ...amount } };
}

/** Uploads what is not there. @returns whether it was there */
async function isThereOrSent(upload: Upload, datastore: Datastore, parts: StorageParts): Promise<boolean> {
	const { plan } = parts;
	if (plan !== undefined && !plan.canSee(datastore.name)) {
		plan.add(upload, datastore.containerUrl);
		return false;
	}
	return withDatastore(datastore, parts, async (container, again) => {
		if (await isUploaded(container, upload)) return true;
		await uploadContent(container, upload, parts, again);
		return false;
	});
}
