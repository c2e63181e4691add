// What the faces of one emulator share: addresses, identities, memory, storage, tokens and time. Types and identities only.

import type { HostEnvironment } from './compute/job-environment.ts';
import type { Ledger } from './ledger.ts';
import type { ProvisioningFaults } from './serving/provisioning-fault.ts';
import type { State } from './state.ts';
import type { BlobStorage } from './storage.ts';
import type { TokenIssuer } from './tokens.ts';

/** The identities of the emulated tenant, subscription and workspace. */
export const IDENTITY = {
	subscriptionId: '6b1f2a44-3c5d-4e8f-9a10-2b3c4d5e6f70',
	resourceGroup: 'emulated-rg',
	workspace: 'emulated-ws',
	tenantId: '72f1c0de-5a1b-4c2d-8e3f-0a1b2c3d4e5f',
	clientId: 'c0ffee00-1234-4abc-8def-0123456789ab',
	clientSecret: 'emulated~secret.value-not_for-azure',
	objectId: '0b1ec7ed-0000-4000-8000-00000000cafe',
} as const;

/** Addresses of the faces, without a slash at the end. */
export interface Origins extends Record<string, string> {
	arm: string;
	authority: string;
	github: string;
	storage: string;
}

/** The shared parts of one emulator. */
export interface Platform {
	origins: Origins;
	state: State;
	storage: BlobStorage;
	/** Signs Entra's access tokens. */
	entraKeys: TokenIssuer;
	ledger: Ledger;
	/** Milliseconds since 1970. */
	clock: () => number;
	/** A number from 0 up to 1, for the choice of a deployment. */
	random: () => number;
	/** How long jobs and operations stay in each early state. */
	jobStateDelayMs: number;
	/** Resolves after the time, or at once when the emulator stops. */
	pause: (milliseconds: number) => Promise<void>;
	/** Deployments that are not to come up. */
	provisioningFaults: ProvisioningFaults;
	/** What the processes of jobs and endpoints may take from the machine's environment. */
	processEnvironment: HostEnvironment;
	/** A folder for the files of processes; gone when the emulator stops. */
	workFolder: string;
}

/** The Azure ML resource, for which AADToken endpoints want their tokens. */
export const ML_RESOURCE = 'https://ml.azure.com';

/** The name of the emulated cloud. */
export const CLOUD_NAME = 'EmulatedCloud';

/** Resource Manager of the public cloud, as clients name the resource of their tokens. */
export const PUBLIC_ARM = 'https://management.azure.com';

/** The issuer of GitHub's ID tokens. */
export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

/** The issuer that the access tokens of the emulated tenant name. */
export function entraIssuer(tenantId: string): string {
	return `https://sts.windows.net/${tenantId}/`;
}
