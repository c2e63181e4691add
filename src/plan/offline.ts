// A dry run without credentials: a workspace that nobody asks anything. What a file refers to is taken to be there, what it
// defines to be missing, and nothing at all is sent.
import { lookUp } from '../asset/lookup.ts';
import { namedId } from '../asset/reference.ts';
import type { Arm } from '../azure/arm.ts';
import type { Cloud } from '../azure/cloud.ts';
import type { Connection } from '../azure/connect.ts';
import { type Workspace, type WorkspaceName, workspaceIdOf } from '../azure/workspace.ts';
import { ServiceError } from '../errors.ts';
import type { Json } from '../json.ts';
import { UNKNOWN } from './unknowns.ts';

const ASSET = /\/(?:environments|data|components|models)\/[^/]+$/i;

/** A resource manager that has nothing but the next version of every asset, under a word for it. */
export const OFFLINE_ARM: Arm = {
	find: async (path) => (ASSET.test(path) ? { properties: { nextVersion: UNKNOWN.next } } : undefined),
	get: async () => null,
	list: async function* () {},
	post: async () => ({ status: 200, headers: {}, body: undefined }),
	put: async () => refuse(),
	delete: async () => refuse(),
	settle: async () => undefined,
};

/** Where a reference leads if what it names is there. The newest version stays `azureml:<name>@latest`. */
export const assumed: typeof lookUp = async (reference, parts) => {
	const { id } = parts.workspace;
	if (reference.form === 'version') {
		return { id: `${id}/${reference.kind}/${reference.name}/versions/${reference.version}` };
	}
	if (reference.form !== 'label') return { id: namedId(id, reference) };
	// Of another label it is known without a look that there is none.
	return reference.label === 'latest' ? { id: `azureml:${reference.name}@latest` } : lookUp(reference, parts);
};

/** The workspace that the inputs name, as far as they do; words in braces stand for the rest. */
export function assumedTarget(named: Readonly<Record<string, string>>): WorkspaceName {
	return {
		subscriptionId: named['subscription-id'] || UNKNOWN.subscription,
		resourceGroup: named['resource-group'] || UNKNOWN.resourceGroup,
		workspace: named['workspace'] || UNKNOWN.workspace,
	};
}

/** A connection to nowhere. `arm` answers for the resource manager. */
export function offlineConnection(target: WorkspaceName, cloud: Cloud, arm: Arm): Connection {
	const id = workspaceIdOf(target);
	const absent = async (): Promise<Json> => {
		throw new ServiceError({ what: 'Without credentials nothing is looked up.' }, { status: 404 });
	};
	const workspace: Workspace = {
		...target,
		id,
		scope: id.slice(1),
		location: UNKNOWN.location,
		workspaceId: undefined,
		tenantId: undefined,
		cloud,
		arm,
		data: absent,
		mlflow: absent,
		serviceAddress: () => refuse(),
		// The name that the first datastore of every workspace has.
		datastore: async (name = 'workspaceblobstore') => ({
			name,
			type: 'AzureBlob',
			accountName: UNKNOWN.account,
			containerUrl: `https://${UNKNOWN.account}.blob.${cloud.storageSuffix}/${UNKNOWN.container}`,
		}),
	};
	const silent = { send: async () => refuse(), onAnswer: () => () => {}, close: async () => {} };
	return { http: silent, bearer: silent, workspace, close: async () => {} };
}

function refuse(): never {
	throw new Error('a dry run without credentials was about to send a request');
}
