// What a refusal or a silence of blob storage means, in words that never hold the query of a signed URL.
import type { RestError } from '@azure/storage-blob';
import { TransferError } from '../errors.ts';
import { hostOf, Unreachable } from './http.ts';
import { networkCode } from './passing.ts';

/** Storage refused a request, or did not answer. `status` is 0 where no answer came. */
export class BlobError extends TransferError {
	readonly status: number;
	/** Storage's own code, e.g. `BlobNotFound`. */
	readonly code: string | undefined;

	constructor(failure: ConstructorParameters<typeof TransferError>[0], status: number, code: string | undefined) {
		super(failure);
		this.status = status;
		this.code = code;
	}

	/** Whether a new signature could help: the one that was used is over, or was made for another key. */
	get signatureRefused(): boolean {
		return this.status === 403 && this.code === 'AuthenticationFailed';
	}
}

/** Status, code and headers of a refusal, as far as one came. */
export interface Refusal {
	readonly status: number;
	readonly code: string | undefined;
	readonly headers: Readonly<Record<string, string>>;
}

/** Known by its name, as the client's own test does: the client itself is loaded only where something is sent to storage. */
function isRestError(error: unknown): error is RestError {
	return error instanceof Error && error.name === 'RestError';
}

/** The refusal in an error of the storage client; status 0 where there was no answer. */
export function refusalOf(error: unknown): Refusal {
	if (!isRestError(error)) return { status: 0, code: networkCode(error), headers: {} };
	const headers = error.response?.headers.toJSON() ?? {};
	return { status: error.statusCode ?? 0, code: headers['x-ms-error-code'] ?? error.code, headers };
}

/**
 * An error of the storage client as one of ours.
 * @param doing what was tried, to stand after "Could not": `upload train.py`
 * @param url of the container or blob; only its host and path are shown
 */
export function explainBlobError(error: unknown, doing: string, url: string): BlobError {
	const { status, code, headers } = refusalOf(error);
	if (status === 0)
		return new BlobError({ what: `Could not ${doing}.`, why: silence(error, url), next: NETWORK }, 0, code);
	const request = headers['x-ms-request-id'];
	const told = error instanceof Error ? firstLine(error.message) : '';
	const { why, next } = MEANING[code ?? ''] ?? MEANING[String(status)] ?? {};
	return new BlobError(
		{
			what: `Could not ${doing}: ${hostOf(url)} answered HTTP ${status}${code === undefined ? '' : ` ${code}`}.`,
			why: `${why ?? told}${request === undefined ? '' : ` (request ${request})`}`,
			next,
		},
		status,
		code,
	);
}

const NETWORK =
	"Check the runner's network, proxy and DNS. A storage account with a private endpoint is reached only from inside its network: use a self-hosted runner there.";

const RULES =
	"Add the runner's address to the storage account's network rules, or use a self-hosted runner inside its network.";

/** By storage's code, or by status where the code is not listed. */
const MEANING: Readonly<Record<string, { readonly why?: string; readonly next?: string }>> = {
	AuthorizationFailure: {
		why: "The storage account refuses this address or this operation; most often its firewall does not admit the runner's network.",
		next: RULES,
	},
	IpAuthorizationSourceIPMismatch: { why: 'The signed URL is for another network address.', next: RULES },
	AuthenticationFailed: {
		why: "The signature is not accepted: it is over, the account's key was changed, or the runner's clock is wrong.",
		next: "Check the runner's clock; after a change of keys, synchronise the workspace's keys and run again.",
	},
	AuthorizationPermissionMismatch: {
		why: 'The signature does not allow this operation.',
		next: "Check the datastore's credentials: uploads need read, create, write and list.",
	},
	AuthorizationResourceTypeMismatch: {
		why: 'The signature is for another kind of thing than blobs.',
		next: "Check the datastore's SAS: it must be for the container and its blobs.",
	},
	AuthorizationProtocolMismatch: { why: 'The signature is for https only.' },
	KeyBasedAuthenticationNotPermitted: {
		why: 'The storage account does not allow shared keys.',
		next: 'Allow shared key access on the account, or give the datastore a SAS made from a user delegation key.',
	},
	PublicAccessNotPermitted: { why: 'The request carried no credential, and the account has no public access.' },
	ContainerNotFound: { why: 'The blob container is not there.', next: "Check the datastore's container name." },
	ContainerBeingDeleted: { why: 'The blob container is being deleted.' },
	AccountIsDisabled: { why: 'The storage account is disabled.' },
	BlobImmutableDueToPolicy: { why: 'An immutability policy of the container forbids to write over this blob.' },
	InsufficientAccountPermissions: { why: 'The account has been made read-only.' },
	'429': { why: 'The storage account is busy and stayed so.', next: 'Run again later.' },
	'503': { why: 'The storage account is busy and stayed so.', next: 'Run again later.' },
};

/** Why no answer came. Addresses in the text of lower layers lose their query. */
function silence(error: unknown, url: string): string {
	return withoutQueries(new Unreachable(url, error).message);
}

function firstLine(text: string): string {
	return withoutQueries((text.split(/[\r\n]/)[0] ?? '').slice(0, 2000)).slice(0, 300);
}

/** The text with the query of every address in it taken away. */
export function withoutQueries(text: string): string {
	return text.replace(/(https?:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, '$1?***').replace(/\bsig=[^\s&"'<>]+/gi, 'sig=***');
}
