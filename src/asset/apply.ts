// Brings the files of `asset-files` into the workspace, each after what it refers to. The workspace itself comes before
// there is a connection to it: applyWorkspace of apply-named.ts.
import type { Workspace } from '../azure/workspace.ts';
import type { Log } from '../log.ts';
import { applyCompute, applyDatastore } from './apply-named.ts';
import { dependenciesOf, inOrder, leadsInto } from './apply-order.ts';
import { applyVersion } from './apply-version.ts';
import type { AssetFile } from './asset-files.ts';
import type { MadeAsset } from './made.ts';
import type { Publisher } from './publish.ts';

export interface ApplyParts {
	readonly workspace: Workspace;
	readonly publisher: Pick<Publisher, 'publish' | 'idOf'>;
	readonly log: Log;
	readonly signal?: AbortSignal | undefined;
	/** Told of each thing as soon as it is there, so that a later failure does not hide it. */
	readonly onMade: (made: MadeAsset) => void;
}

/**
 * Applies them all. What they need from outside their own number is looked up, and uploaded, before the first is applied.
 * @throws FileError when a reference leads nowhere or a version is there with other content, ServiceError, TransferError
 */
export async function applyAssets(assets: readonly AssetFile[], parts: ApplyParts): Promise<void> {
	const { publisher, signal, onMade } = parts;
	const dependencies = assets.flatMap(dependenciesOf);
	await publisher.publish(dependencies.filter((dependency) => !leadsInto(dependency, assets)));
	for (const asset of inOrder(assets)) {
		signal?.throwIfAborted();
		await publisher.publish(dependenciesOf(asset));
		onMade(await applyOne(asset, parts));
	}
}

function applyOne(asset: AssetFile, { workspace, publisher, log, signal }: ApplyParts): Promise<MadeAsset> {
	const { arm } = workspace;
	switch (asset.kind) {
		case 'compute':
			return applyCompute(asset, workspace, { arm, log, signal });
		case 'datastore':
			return applyDatastore(asset, workspace, { arm, log, signal });
		default:
			return applyVersion(asset, { workspace, idOf: publisher.idOf, log, signal });
	}
}
