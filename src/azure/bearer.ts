// Sends requests that carry a bearer token, and only to hosts that may see one.
import { ServiceError } from '../errors.ts';
import { type Cloud, mayReceiveToken } from './cloud.ts';
import { type Http, type HttpAnswer, type HttpRequest, hostOf } from './http.ts';
import type { Credential } from './token-cache.ts';

/** Sends a request with a token for `scope` (the resource manager's when absent). */
export interface BearerHttp {
	/** @param second a further token that the request carries in a header of its own */
	send(request: HttpRequest, scope?: string, second?: SecondToken): Promise<HttpAnswer>;
}

/** A token beside the one in `authorization`. */
export interface SecondToken {
	/** In lower case. */
	readonly header: string;
	readonly scope: string;
}

export function createBearerHttp(http: Http, cloud: Cloud, credential: Credential): BearerHttp {
	/** Which host has taken which token: what it has never taken it refuses for a cause that another token would not change. */
	const taken = new Set<string>();
	return {
		async send(request, scope = cloud.armScope, second = undefined) {
			if (!mayReceiveToken(cloud, request.url)) throw distrust(request.url, cloud);
			if (isDetour(request.url)) throw detour();
			const { signal } = request;
			const host = hostOf(request.url);
			const attempt = async (token: string): Promise<HttpAnswer> => {
				const more = second && { [second.header]: await credential.token(second.scope, { signal }) };
				const headers = { ...request.headers, ...more, authorization: `Bearer ${token}` };
				const answer = await http.send({ ...request, headers });
				if (answer.status !== 401) taken.add(`${host} ${token}`);
				return answer;
			};
			const token = await credential.token(scope, { signal });
			const answer = await attempt(token);
			if (answer.status !== 401) return answer;
			// One renewal, by the service's own wish or because the token was good and is so no more; a second refusal is an answer.
			const claims = claimsOf(answer.headers['www-authenticate']);
			if (claims === undefined && !taken.has(`${host} ${token}`)) return answer;
			return attempt(
				await credential.token(scope, claims === undefined ? { refused: token, signal } : { claims, signal }),
			);
		},
	};
}

/** Whether a path has a part `.` or `..`, which leads elsewhere than its names say: to the workspace instead of an endpoint. */
function isDetour(url: string): boolean {
	const [path = ''] = url.split(/[?#]/);
	return path.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part));
}

function detour(): ServiceError {
	return new ServiceError(
		{
			what: 'A request was not sent.',
			why: '`.` or `..` stands in it for a name, and is no name that Azure ML knows.',
			next: 'Check the names in the inputs and files: of the job, the endpoint, the deployment, the model and its version.',
		},
		{ status: 0 },
	);
}

/** The claims of a continuous-access-evaluation challenge, as plain JSON text. */
function claimsOf(challenge: string | undefined): string | undefined {
	const encoded = /\bclaims="([^"]+)"/i.exec(challenge ?? '')?.[1];
	return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

function distrust(url: string, cloud: Cloud): ServiceError {
	return new ServiceError(
		{
			what: `The token was not sent to ${hostOf(url)}.`,
			why: `That host belongs neither to the resource manager of ${cloud.name} nor to its machine-learning services.`,
			next: cloud.custom
				? "If the host is right, list its suffix under suffixes.machineLearning in the cloud's JSON file."
				: 'A service answer or a file pointed there; check `cloud` and the workspace.',
		},
		{ status: 0 },
	);
}
