// One scoring request to an online endpoint: how it signs in by the endpoint's auth mode, when it is repeated, and its
// answer as text. What the answer should hold is smoke-test.ts.
import type { BearerHttp } from '../azure/bearer.ts';
import { mayReceiveToken } from '../azure/cloud.ts';
import { type Http, type HttpAnswer, type HttpRequest, hostOf, retryAfter, Unreachable } from '../azure/http.ts';
import { messageFrom } from '../azure/service-error.ts';
import { ServiceError } from '../errors.ts';
import { textAt } from '../json.ts';
import type { OnlineEndpoint } from './online-endpoint.ts';
import { type EndpointParts, endpointPath } from './online-wait.ts';

/** What a scoring request needs beside the endpoint. */
export interface InvokeParts extends EndpointParts {
	readonly http: Http;
	readonly bearer: BearerHttp;
}

/** A scoring request. */
export interface Invocation {
	/** The deployment to ask, whatever its traffic; the endpoint's traffic decides where absent. */
	readonly deployment?: string;
	/** JSON text. */
	readonly body: string;
	/** The longest wait for one answer, in milliseconds. */
	readonly timeout?: number;
}

/** Azure lets a model take three minutes at the most. */
const TIMEOUT = 190_000;
const LARGEST_ANSWER = 1024 * 1024;
const MOST_REPEATS = 5;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
const REPEATED_STATUS = new Set([429, 502, 503, 504]);
/** A new endpoint's host may be unknown to DNS or refuse connections for a while. */
export const UNREACHED_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);
/** A request that only asks may be sent again after its connection was lost, too. */
const REPEATED_CODES: ReadonlySet<string> = new Set([...UNREACHED_CODES, 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/**
 * Sends the request and gives the text of the answer (at most 1 MiB). 429, 502, 503, 504, a host that cannot be
 * connected to and a connection that is lost are tried again five times at the most.
 * @throws ServiceError for any other answer than 200 and 201, for none, and for a scoring host that may not see a key
 */
export async function invokeOnline(endpoint: OnlineEndpoint, call: Invocation, parts: InvokeParts): Promise<string> {
	const doing =
		call.deployment === undefined ? `invoke ${endpoint.name}` : `invoke the deployment "${call.deployment}"`;
	const { scoringUri } = endpoint;
	if (scoringUri === undefined) throw failure(doing, `The endpoint "${endpoint.name}" has no scoring URI.`, 0);
	checkScoringHost(endpoint, parts);
	const send = await sender(endpoint, parts);
	const repeated = { statuses: REPEATED_STATUS, codes: REPEATED_CODES };
	return sendScoring({ doing, url: scoringUri, call, send, repeated }, parts);
}

/** A scoring request on its way. */
export interface ScoringSend {
	/** What is tried, to stand after "Could not". */
	readonly doing: string;
	readonly url: string;
	readonly call: Invocation;
	/** Sends with the credentials that the endpoint wants. */
	readonly send: (request: HttpRequest) => Promise<HttpAnswer>;
	/** The statuses and the network failures after which the same request may be sent again. */
	readonly repeated: { readonly statuses: ReadonlySet<number>; readonly codes: ReadonlySet<string> };
}

/**
 * Sends a scoring request and gives the text of its answer. What may be repeated is tried again five times at
 * the most.
 * @throws ServiceError for any other answer than 200 and 201, and for none
 */
export async function sendScoring(
	{ doing, url, call, send, repeated }: ScoringSend,
	parts: EndpointParts,
): Promise<string> {
	const { clock, log } = parts;
	for (let turn = 1; ; turn += 1) {
		const got = await attempt(send, url, call, parts.signal);
		if (!(got instanceof Error) && (got.status === 200 || got.status === 201)) return got.body.toString();
		const repeat = got instanceof Error ? repeated.codes.has(codeOf(got)) : repeated.statuses.has(got.status);
		if (!repeat || turn > MOST_REPEATS) throw refusal(doing, got, turn);
		const asked = got instanceof Error ? undefined : retryAfter(got.headers, clock.now());
		const wait = Math.min(LONGEST_WAIT, asked ?? FIRST_WAIT * 2 ** (turn - 1) * (0.5 + clock.random() / 2));
		log.debug(`${hostOf(url)}: ${got instanceof Error ? got.message : `HTTP ${got.status}`}; trying again.`);
		await clock.sleep(wait, parts.signal);
	}
}

/**
 * Checks that the endpoint's scoring host may see a key or token; one that is not known yet passes.
 * @throws ServiceError when it may not
 */
export function checkScoringHost(
	{ name, scoringUri }: Pick<OnlineEndpoint, 'name' | 'scoringUri'>,
	{ workspace: { cloud } }: EndpointParts,
): void {
	// For keys too, and before one is asked for: a key is worth as much as a token.
	if (scoringUri === undefined || mayReceiveToken(cloud, scoringUri)) return;
	throw new ServiceError(
		{
			what: `The endpoint "${name}" cannot be invoked: no key or token is sent to ${hostOf(scoringUri)}.`,
			why: `That host does not belong to the machine-learning services of ${cloud.name}.`,
			next: cloud.custom
				? "If the host is right, list its suffix under suffixes.machineLearning in the cloud's JSON file."
				: 'Endpoints on a cluster of your own answer under its address: deploy them without `smoke-test-file`.',
		},
		{ status: 0 },
	);
}

/** One attempt, with a time limit of its own. Gives the answer, or why there is none. */
async function attempt(
	send: (request: HttpRequest) => Promise<HttpAnswer>,
	url: string,
	call: Invocation,
	signal: AbortSignal | undefined,
): Promise<HttpAnswer | Error> {
	const timeout = call.timeout ?? TIMEOUT;
	const limit = AbortSignal.timeout(timeout);
	try {
		return await send({
			method: 'POST',
			url,
			body: call.body,
			headers: {
				'content-type': 'application/json',
				accept: 'application/json, */*;q=0.5',
				...(call.deployment === undefined ? {} : { 'azureml-model-deployment': call.deployment }),
			},
			retry: false,
			timeout,
			largest: LARGEST_ANSWER,
			signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
		});
	} catch (error) {
		if (signal?.aborted) throw signal.reason;
		if (limit.aborted) return new Error(`No answer came within ${timeout / 1000} s.`);
		if (error instanceof Unreachable) return error;
		throw error;
	}
}

/** How this endpoint's requests sign in. Asks for a key or token anew each time, so a rotated key is no failure. */
async function sender(
	endpoint: OnlineEndpoint,
	parts: InvokeParts,
): Promise<(request: HttpRequest) => Promise<HttpAnswer>> {
	const { workspace, http, bearer } = parts;
	if (endpoint.authMode.toLowerCase() === 'aadtoken') {
		return (request) => bearer.send(request, workspace.cloud.machineLearningScope);
	}
	const secret = await endpointSecret(endpoint, parts);
	return (request) => http.send({ ...request, headers: { ...request.headers, authorization: `Bearer ${secret}` } });
}

/** The endpoint's primary key, or a token of its own. Masked before it is given. */
async function endpointSecret({ name, authMode }: OnlineEndpoint, parts: EndpointParts): Promise<string> {
	const { workspace, log, signal } = parts;
	const path = endpointPath(parts, name);
	const [action, doing, key] =
		authMode.toLowerCase() === 'amltoken'
			? ['token', `get a token of the endpoint "${name}"`, 'accessToken']
			: ['listKeys', `read the keys of the endpoint "${name}"`, 'primaryKey'];
	const { body } = await workspace.arm.post(`${path}/${action}`, undefined, { doing, signal });
	const secret = textAt(body, key);
	const second = textAt(body, 'secondaryKey');
	if (second !== undefined) log.mask(second);
	if (secret === undefined || secret === '') throw failure(doing, `The answer had no ${key}.`, 200);
	log.mask(secret);
	return secret;
}

function refusal(doing: string, got: HttpAnswer | Error, turns: number): ServiceError {
	const tries = turns === 1 ? '' : ` (${turns} attempts)`;
	if (got instanceof Error) return failure(doing, `${got.message}${tries}`, 0, got);
	const { text } = messageFrom(got.body.toString(), got.status);
	// The front end answers 424 for whatever the model's own container answered; the headers hold that.
	const status = got.headers['ms-azureml-model-error-statuscode'];
	const reason = got.headers['ms-azureml-model-error-reason'];
	const model = [
		status === undefined ? '' : ` The model's container answered ${status}.`,
		reason === undefined ? '' : ` Reason: ${reason}.`,
	].join('');
	return failure(doing, `HTTP ${got.status}${tries}: ${text}${model}`, got.status);
}

function failure(doing: string, why: string, status: number, cause?: unknown): ServiceError {
	return new ServiceError({ what: `Could not ${doing}.`, why, cause }, { status });
}

function codeOf(error: Error): string {
	return error instanceof Unreachable ? (error.code ?? '') : '';
}
