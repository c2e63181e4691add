// The GitHub face: ID tokens of a workflow run, and the few REST calls that an action reports through.

import { randomUUID } from 'node:crypto';
import { bearerOf } from './authorization.ts';
import { GITHUB_ISSUER, type Platform } from './platform.ts';
import { Router } from './router.ts';
import { type Answer, AnswerError, type FaceRequest, type Handler } from './server.ts';
import type { GitHubEntry, GitHubStore } from './state.ts';
import type { TokenIssuer } from './tokens.ts';

/** Life of an ID token in seconds. */
const ID_TOKEN_LIFE = 300;

/** Who GitHub says that the workflow run is. Extra claims stand beside the usual ones and win over them. */
export interface GitHubIdentity {
	subject: string;
	repository: string;
	event: string;
	ref: string;
	sha: string;
	runId: string;
	issuer: string;
	lifeSeconds: number;
	claims: Record<string, string>;
}

/** The run of a push to the main branch. */
export function defaultIdentity(): GitHubIdentity {
	return {
		subject: 'repo:octo-org/octo-repo:ref:refs/heads/main',
		repository: 'octo-org/octo-repo',
		event: 'push',
		ref: 'refs/heads/main',
		sha: '0123456789abcdef0123456789abcdef01234567',
		runId: '1234567890',
		issuer: GITHUB_ISSUER,
		lifeSeconds: ID_TOKEN_LIFE,
		claims: {},
	};
}

/** The secrets by which a workflow run calls GitHub. */
export interface GitHubSecrets {
	/** For ID tokens: ACTIONS_ID_TOKEN_REQUEST_TOKEN. */
	requestToken: string;
}

interface GitHubCall {
	request: FaceRequest;
	names: Record<string, string>;
	body: Record<string, unknown>;
}

/** Answers the GitHub face. */
export function gitHubFace(
	platform: Platform,
	identity: GitHubIdentity,
	secrets: GitHubSecrets,
	keys: TokenIssuer,
): Handler {
	const rest = new RestFace(platform);
	return async (request) => {
		if (request.path === '/.well-known/jwks') return { status: 200, json: { keys: [await keys.publicKey()] } };
		if (request.path.startsWith('/idtoken/')) return idToken(request, identity, secrets, keys);
		return rest.answer(request);
	};
}

async function idToken(
	request: FaceRequest,
	identity: GitHubIdentity,
	secrets: GitHubSecrets,
	keys: TokenIssuer,
): Promise<Answer> {
	if (bearerOf(request) !== secrets.requestToken) {
		return { status: 401, json: { message: 'The ACTIONS_ID_TOKEN_REQUEST_TOKEN is not valid.' } };
	}
	const [owner = ''] = identity.repository.split('/');
	const claims = {
		jti: randomUUID(),
		iss: identity.issuer,
		sub: identity.subject,
		aud: request.query.get('audience') ?? `https://github.com/${owner}`,
		ref: identity.ref,
		sha: identity.sha,
		repository: identity.repository,
		repository_owner: owner,
		repository_owner_id: '65',
		repository_id: '74',
		repository_visibility: 'private',
		run_id: identity.runId,
		run_number: '42',
		run_attempt: '1',
		actor: 'octocat',
		actor_id: '12',
		workflow: 'train',
		workflow_ref: `${identity.repository}/.github/workflows/train.yml@${identity.ref}`,
		workflow_sha: identity.sha,
		job_workflow_ref: `${identity.repository}/.github/workflows/train.yml@${identity.ref}`,
		event_name: identity.event,
		ref_type: 'branch',
		ref_protected: 'false',
		base_ref: '',
		head_ref: '',
		runner_environment: 'github-hosted',
		...identity.claims,
	};
	return { status: 200, json: { count: 1, value: await keys.sign(claims, identity.lifeSeconds) } };
}

type RestHandler = (call: GitHubCall) => Answer;

class RestFace {
	readonly #platform: Platform;
	readonly #router = new Router<RestHandler>();

	constructor(platform: Platform) {
		this.#platform = platform;
		const repository = '/repos/{owner}/{repo}';
		this.#router
			.on('GET', `${repository}/issues/{number}/comments`, (call) => this.#list(call, 'comments', call.names['number']))
			.on('POST', `${repository}/issues/{number}/comments`, (call) => this.#comment(call))
			.on('GET', `${repository}/issues/comments/{id}`, (call) => ({ status: 200, json: this.#find(call, 'comments') }))
			.on('PATCH', `${repository}/issues/comments/{id}`, (call) => this.#edit(call))
			.on('DELETE', `${repository}/issues/comments/{id}`, (call) => this.#remove(call))
			.on('GET', `${repository}/pulls/{number}`, (call) => this.#pull(call))
			.on('GET', `${repository}/deployments`, (call) => this.#list(call, 'deployments', undefined))
			.on('POST', `${repository}/deployments`, (call) => this.#deployment(call))
			.on('GET', `${repository}/deployments/{id}/statuses`, (call) => this.#list(call, 'statuses', call.names['id']))
			.on('POST', `${repository}/deployments/{id}/statuses`, (call) => this.#status(call))
			.on('GET', `${repository}/actions/runs/{id}`, (call) => this.#run(call));
	}

	answer(request: FaceRequest): Answer {
		const authorization = request.headers['authorization'] ?? '';
		if (!/^(bearer|token) ghs_\S+$/i.test(authorization)) throw fault(401, 'Bad credentials');
		const found = this.#router.find(request.method, request.path);
		if (found === undefined || found === 'method') throw fault(404, 'Not Found');
		const isObject = typeof request.body === 'object' && request.body !== null;
		const body = isObject ? (request.body as Record<string, unknown>) : {};
		return found.handler({ request, names: found.names, body });
	}

	get #store(): GitHubStore {
		return this.#platform.state.github;
	}

	#thread(call: GitHubCall, of: string | undefined): string {
		return [call.names['owner'], call.names['repo'], of].filter(Boolean).join('/');
	}

	#list(call: GitHubCall, kind: keyof GitHubStore, of: string | undefined): Answer {
		const size = Math.min(Number(call.request.query.get('per_page') ?? 30) || 30, 100);
		const number = Number(call.request.query.get('page') ?? 1) || 1;
		const all = this.#store[kind].filter((one) => one.thread === this.#thread(call, of));
		const sorted = kind === 'comments' ? all : [...all].reverse();
		const headers: Record<string, string> = {};
		if (number * size < sorted.length) {
			const next = new URL(`${this.#platform.origins.github}${call.request.path}?${call.request.query}`);
			next.searchParams.set('page', String(number + 1));
			headers['Link'] = `<${next}>; rel="next"`;
		}
		return { status: 200, headers, json: sorted.slice((number - 1) * size, number * size) };
	}

	#add(kind: keyof GitHubStore, thread: string, fields: Record<string, unknown>): Answer {
		const store = this.#store;
		const id = 1 + Math.max(1000, ...Object.values(store).flatMap((list: GitHubEntry[]) => list.map((one) => one.id)));
		const now = new Date(this.#platform.clock()).toISOString();
		const entry: GitHubEntry = { id, thread, created_at: now, updated_at: now, ...fields };
		entry['url'] = `${this.#platform.origins.github}/${kind}/${id}`;
		store[kind].push(entry);
		this.#platform.state.changed();
		return { status: 201, json: entry };
	}

	#comment(call: GitHubCall): Answer {
		const { body } = call.body;
		if (typeof body !== 'string' || body === '') throw fault(422, 'Validation Failed');
		if (body.length > 65536) throw fault(422, 'Validation Failed: body is too long (maximum is 65536 characters)');
		const { owner, repo, number } = call.names;
		const user = { login: 'github-actions[bot]', type: 'Bot', id: 41898282 };
		const html_url = `https://github.com/${owner}/${repo}/pull/${number}#issuecomment`;
		return this.#add('comments', this.#thread(call, number), { body, user, html_url });
	}

	#find(call: GitHubCall, kind: keyof GitHubStore): GitHubEntry {
		const entry = this.#store[kind].find((one) => String(one.id) === call.names['id']);
		if (entry) return entry;
		throw fault(404, 'Not Found');
	}

	#edit(call: GitHubCall): Answer {
		const entry = this.#find(call, 'comments');
		entry['body'] = call.body['body'];
		entry['updated_at'] = new Date(this.#platform.clock()).toISOString();
		this.#platform.state.changed();
		return { status: 200, json: entry };
	}

	#remove(call: GitHubCall): Answer {
		const entry = this.#find(call, 'comments');
		this.#store.comments.splice(this.#store.comments.indexOf(entry), 1);
		this.#platform.state.changed();
		return { status: 204 };
	}

	#pull(call: GitHubCall): Answer {
		const entry = this.#store.pulls.find((one) => one.thread === this.#thread(call, call.names['number']));
		if (!entry) throw fault(404, 'Not Found');
		return { status: 200, json: entry };
	}

	#deployment(call: GitHubCall): Answer {
		if (typeof call.body['ref'] !== 'string') throw fault(422, 'Validation Failed: ref is missing');
		return this.#add('deployments', this.#thread(call, undefined), {
			environment: 'production',
			task: 'deploy',
			...call.body,
		});
	}

	#status(call: GitHubCall): Answer {
		this.#find(call, 'deployments');
		const states = ['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'];
		if (!states.includes(String(call.body['state']))) throw fault(422, 'Validation Failed: state');
		return this.#add('statuses', this.#thread(call, call.names['id']), { ...call.body });
	}

	#run(call: GitHubCall): Answer {
		const { owner, repo, id } = call.names;
		const html_url = `https://github.com/${owner}/${repo}/actions/runs/${id}`;
		const json = { id: Number(id), name: 'train', status: 'in_progress', conclusion: null, run_attempt: 1, html_url };
		return { status: 200, json };
	}
}

function fault(status: number, message: string): AnswerError {
	return new AnswerError({
		status,
		json: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
	});
}
