// Turns a refused request into an error that says what, why and what to do: ARM's and the data plane's error bodies.
import { ServiceError } from '../errors.ts';
import { at, isObject, type Json, listAt, parseJson, textAt } from '../json.ts';
import type { HttpAnswer } from './http.ts';

/** What a service said about a failure, taken out of its nested forms. */
export interface ServiceMessage {
	/** The deepest code that is named: the telling one. */
	readonly code: string | undefined;
	readonly text: string;
}

/** What the log shows of an error whole; an annotation is cut sooner. */
const LONGEST = 30_000;
/** So much of a body that is no JSON is looked at: a page of a gateway says what it has to say at its beginning. */
const LONGEST_PAGE = 100_000;

/**
 * The refusal as an error.
 * @param doing what was tried, to stand after "Azure could not": `create the job "iris-1"`
 */
export function serviceError(answer: HttpAnswer, doing: string): ServiceError {
	const { code, text } = messageFrom(answer.body.toString(), answer.status);
	const requestId = answer.headers['x-ms-request-id'];
	const correlationId = answer.headers['x-ms-correlation-request-id'];
	const ids = requestId === undefined ? '' : ` (request ${requestId})`;
	return new ServiceError(
		{
			what: `Could not ${doing}: HTTP ${answer.status}${code === undefined ? '' : ` ${code}`}.`,
			why: `${text}${ids}`,
			next: adviceFor(answer.status, code),
		},
		{ status: answer.status, code, requestId, correlationId },
	);
}

/** Code and text of an error body in any of the forms Azure ML has been seen to answer. */
export function messageFrom(body: string, status: number): ServiceMessage {
	const json = parseJson(body);
	const error = isObject(at(json, 'error')) ? at(json, 'error') : json;
	if (!isObject(error)) return { code: undefined, text: plainText(body) ?? unexplained(status) };
	const said = textAt(error, 'message') ?? textAt(error, 'error_description');
	const texts = [said, ...detailTexts(listAt(error, 'details'))].filter(
		(t): t is string => t !== undefined && t !== '',
	);
	const unique = texts.filter((text, place) => !texts.slice(0, place).some((earlier) => earlier.includes(text)));
	const text = unique.join(' ').slice(0, LONGEST);
	const code = deepestCode(error);
	// A form that is not known, as a model's own container may have: shown as it is.
	const whole = code === undefined && Object.keys(error).length > 0 ? plainText(body) : undefined;
	return { code, text: text || (whole ?? unexplained(status)) };
}

/** The beginning of a body that has no form that is known, without a page's tags. */
function plainText(body: string): string | undefined {
	const plain = body
		.slice(0, LONGEST_PAGE)
		.replace(/<[^<>]*>/g, ' ')
		.replace(/\s+/g, ' ')
		.trim();
	return plain.slice(0, 300) || undefined;
}

function unexplained(status: number): string {
	return `The answer (HTTP ${status}) had no explanation.`;
}

function detailTexts(details: readonly Json[], depth = 0): string[] {
	if (depth > 5) return [];
	return details.flatMap((detail) => {
		const message = textAt(detail, 'message');
		return [...(message === undefined ? [] : [message]), ...detailTexts(listAt(detail, 'details'), depth + 1)];
	});
}

/** The deepest inner error names the cause; where there is none, the first detail does, then the error itself. */
function deepestCode(error: Json): string | undefined {
	// MLflow's interface and Entra have words of their own.
	const own = textAt(error, 'code') ?? textAt(error, 'error_code') ?? textAt(error, 'error');
	const informed = listAt(error, 'additionalInfo').find((info) => textAt(info, 'type') === 'InnerError');
	let inner = at(informed, 'info', 'value') ?? at(error, 'innerError') ?? at(error, 'innererror');
	let deepest: string | undefined;
	for (let depth = 0; isObject(inner) && depth < 20; depth += 1) {
		deepest = textAt(inner, 'code') ?? deepest;
		inner = at(inner, 'innerError') ?? at(inner, 'innererror');
	}
	return deepest ?? textAt(error, 'details', 0, 'code') ?? own;
}

function adviceFor(status: number, code: string | undefined): string | undefined {
	if (status === 401) return 'Check that the identity signs in to the right tenant and cloud.';
	if (status === 403)
		return 'Give the identity the role "AzureML Data Scientist" (or Contributor) on the workspace; a new role needs some minutes to work.';
	if (status === 429) return 'Azure limits the number of requests: try again later, or run fewer jobs at once.';
	if (status >= 500)
		return 'This is a failure of the service: try again, and see https://azure.status.microsoft if it stays.';
	if (code === 'SubscriptionNotFound')
		return 'Check `subscription-id`, and that the identity has a role in that subscription.';
	if (code === 'ResourceGroupNotFound') return 'Check `resource-group`.';
	return undefined;
}
