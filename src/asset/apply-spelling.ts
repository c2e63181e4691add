// The many spellings of one id or URI, brought into one. Knows how the service rewrites ids; compares nothing else.
import { withoutEndSlashes } from '../slashes.ts';

/** A text in the spelling that `sameId` compares; what is no id or URI comes out as it is. */
export function plainId(text: string, workspaceId: string): string {
	const bare = text.replace(/^azureml:(?=\/subscriptions\/)/i, '');
	if (/^azureml:\/\//i.test(bare)) return plainUri(bare, workspaceId);
	if (/^https?:\/\//i.test(bare)) return withoutEndSlashes(bare.replace(/^(https:\/\/[^/]+?):443(?=\/|$)/i, '$1'));
	if (bare.startsWith('/subscriptions/')) return plainArmId(bare, workspaceId);
	const curated = /^azureml:(azureml-[^:@]+)[:@](.+)$/i.exec(bare);
	if (curated !== null) return `environments/${curated[1]}/${curated[2]}`.toLowerCase();
	const named = /^azureml:([^:@/]+)[:@](.+)$/.exec(bare);
	return named === null ? text : `asset/${named[1]}/${named[2]}`.toLowerCase();
}

/** Whether two plain ids lead to one thing. A label such as `latest` has become a version in what the service gives. */
export function sameId(ours: string, theirs: string): boolean {
	if (ours === theirs) return true;
	const labelled = /^((?:environments|asset|registries)\/.+\/)latest$/.exec(ours);
	return (
		labelled?.[1] !== undefined && theirs.startsWith(labelled[1]) && !theirs.slice(labelled[1].length).includes('/')
	);
}

function plainUri(uri: string, workspaceId: string): string {
	const store = /^azureml:\/\/(subscriptions\/.*?\/)?datastores\/([^/]+)\/paths\/(.*)$/i.exec(uri);
	if (store !== null && isOf(store[1], workspaceId)) {
		// Models are copied by the service, and come back with the place of the copy.
		const path = withoutEndSlashes((store[3] ?? '').replace(/^ServiceReplicated\/[^/]+\//, ''));
		return `datastores/${store[2]?.toLowerCase()}/${path}`;
	}
	const shared = /^azureml:\/\/registries\/([^/]+)\/([^/]+)\/([^/]+)\/(?:versions|labels)\/([^/]+)$/i.exec(uri);
	if (shared === null) return withoutEndSlashes(uri);
	const [, registry = '', kind = '', name = '', version = ''] = shared.map((part) => part.toLowerCase());
	// The service answers a curated environment's short name with the registry that it is in.
	if (kind === 'environments' && name.startsWith('azureml-')) return `environments/${name}/${version}`;
	return `registries/${registry}/${kind}/${name}/${version}`;
}

/** Whether the scope that stands in a long URI (none: a short one) is this workspace's. */
function isOf(scope: string | undefined, workspaceId: string): boolean {
	if (scope === undefined) return true;
	const short = (text: string): string =>
		text.toLowerCase().replace('/providers/microsoft.machinelearningservices', '');
	return short(`/${scope.replace(/\/$/, '')}`) === short(workspaceId);
}

function plainArmId(id: string, workspaceId: string): string {
	const lower = withoutEndSlashes(id.toLowerCase());
	const below = lower.startsWith(`${workspaceId.toLowerCase()}/`) ? lower.slice(workspaceId.length + 1) : undefined;
	const asset = /^[^/]+\/([^/]+)\/(?:versions|labels)\/([^/]+)$/.exec(below ?? '');
	return asset === null ? lower : `asset/${asset[1]}/${asset[2]}`;
}
