// Starts a scoring job on a batch deployment. Following the job is not this room's: the caller does that by its name.
import { ServiceError } from '../errors.ts';
import { parseJson, textAt } from '../json.ts';
import type { BatchEndpoint } from './batch-endpoint.ts';
import { checkScoringHost, type Invocation, type InvokeParts, sendScoring, UNREACHED_CODES } from './invoke.ts';

/** Refusals after which no job can have been started. After others there may be one, and a second one would cost twice. */
const REPEATED_STATUS = new Set([429, 503]);

/**
 * Starts a scoring job and gives its name; it is followed like any other job. Signs in as the caller, with a token for
 * Azure ML itself: batch endpoints know no keys.
 * @throws ServiceError when the endpoint refuses it, or when its host may not see a token
 */
export async function invokeBatch(
	endpoint: BatchEndpoint,
	call: Invocation & { readonly deployment: string },
	parts: InvokeParts,
): Promise<string> {
	const doing = `start a scoring job on the deployment "${call.deployment}"`;
	const { scoringUri } = endpoint;
	if (scoringUri === undefined) {
		throw new ServiceError(
			{ what: `Could not ${doing}.`, why: `The endpoint "${endpoint.name}" has no scoring URI.` },
			{ status: 0 },
		);
	}
	checkScoringHost(endpoint, parts);
	const { bearer, workspace } = parts;
	const answer = await sendScoring(
		{
			doing,
			url: scoringUri,
			call,
			send: (request) => bearer.send(request, workspace.cloud.machineLearningScope),
			repeated: { statuses: REPEATED_STATUS, codes: UNREACHED_CODES },
		},
		parts,
	);
	const name = textAt(parseJson(answer), 'name');
	if (name !== undefined && name !== '') return name;
	throw new ServiceError(
		{
			what: `Could not ${doing}: the answer names no job.`,
			why: `It was accepted, and the answer begins with: ${answer.slice(0, 200)}`,
			next: 'Look for the job in Azure ML studio.',
		},
		{ status: 200 },
	);
}
