// The one table of api-versions: which version of the resource manager's contract each call is made with.

/** The segment after the workspace (or `workspaces` itself) and the api-version its calls carry. */
const API_VERSIONS: Readonly<Record<string, string>> = {
	workspaces: '2025-09-01',
	batchEndpoints: '2025-09-01',
	codes: '2025-09-01',
	components: '2025-09-01',
	computes: '2025-09-01',
	data: '2025-09-01',
	datastores: '2025-09-01',
	environments: '2025-09-01',
	jobs: '2025-09-01',
	models: '2025-09-01',
	onlineEndpoints: '2025-09-01',
	// Of a region, not of a workspace: sizes of virtual machines and how much of them is in use.
	locations: '2025-09-01',
};

// The provider's name stands before: a resource group may be called `workspaces` too.
const BELOW_WORKSPACE = /\/providers\/Microsoft\.MachineLearningServices\/workspaces(?:\/[^/?]+)?(?:\/([^/?]+))?/i;
// Of registries only what is called: a version of a model is the resource manager's, its import the front end's own.
const OF_REGISTRY: readonly (readonly [RegExp, string])[] = [
	[
		/\/providers\/Microsoft\.MachineLearningServices\/registries\/[^/]+\/models\/[^/]+\/versions\/[^/]+$/i,
		'2025-09-01',
	],
	[/\/providers\/Microsoft\.MachineLearningServices\/registries\/[^/]+\/import$/i, '2021-10-01-dataplanepreview'],
];
const OF_REGION = /\/providers\/Microsoft\.MachineLearningServices\/(locations)\//i;

/**
 * The api-version for a path of the resource manager.
 * @throws Error for a resource that the table does not know: a call that nobody decided a version for
 */
export function apiVersionOf(path: string): string {
	const registry = OF_REGISTRY.find(([pattern]) => pattern.test(path))?.[1];
	if (registry !== undefined) return registry;
	const found = BELOW_WORKSPACE.exec(path) ?? OF_REGION.exec(path);
	const family = found === null ? undefined : (found[1] ?? 'workspaces').toLowerCase();
	const version = Object.entries(API_VERSIONS).find(([name]) => name.toLowerCase() === family)?.[1];
	if (version === undefined) throw new Error(`no api-version is decided for ${path}`);
	return version;
}
