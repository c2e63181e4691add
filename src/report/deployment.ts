// The run as a GitHub deployment: its statuses while the run goes on, its address at the end, and the end of older ones.
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { isObject, parseJson, textAt } from '../json.ts';
import type { Log } from '../log.ts';
import type { RunContext } from '../run-context.ts';
import { type GitHubCalls, isForbidden, openGitHub } from './octokit.ts';
import type { RunReport } from './run-report.ts';

export interface DeploymentRequest {
	/** Name of the GitHub environment. */
	readonly environment: string;
	/** Said of the deployment: `job.yml`. */
	readonly description: string;
	/** False: nothing comes into the environment, what is there is taken down. */
	readonly deploys: boolean;
}

export interface DeploymentParts {
	readonly run: RunContext;
	readonly githubToken: string | undefined;
	readonly log: Log;
	readonly clock: Clock;
	/** Aborted once the workflow is cancelled. */
	readonly signal: AbortSignal;
}

/** The record of this run. No method throws: a record that cannot be kept is a notice, once, and nothing more. */
export interface DeploymentRecord {
	/** What changes the environment has begun. */
	start(): Promise<void>;
	/** Tells how it ended. The report must hold no secret any more. */
	end(report: RunReport): Promise<void>;
}

type State = 'queued' | 'in_progress' | 'success' | 'failure' | 'inactive';

/** What a status says besides its state. */
interface StatusText {
	readonly description?: string;
	readonly environment_url?: string;
}

/** By this a later run knows which deployments of the environment are of this action. */
const MADE_BY = 'azure-ml-action';
/** GitHub refuses a longer description. */
const LONGEST_DESCRIPTION = 140;
/** How many older deployments are looked at. */
const LOOKED_AT = 30;
/** States of a deployment that may still count as what is in the environment. */
const ACTIVE = new Set(['success', 'queued', 'in_progress', 'pending']);

/** Begins the record of a run, as queued. */
export async function openDeployment(request: DeploymentRequest, parts: DeploymentParts): Promise<DeploymentRecord> {
	const [owner, repo] = parts.run.repository?.split('/') ?? [];
	const ref = parts.run.headSha ?? parts.run.sha;
	if (parts.githubToken === undefined || owner === undefined || repo === undefined || ref === undefined) {
		const missing = parts.githubToken === undefined ? '`github-token`' : 'repository or commit';
		parts.log.notice(`No GitHub deployment for ${request.environment}: there is no ${missing}.`);
		return { start: async () => {}, end: async () => {} };
	}
	const { githubToken: token, clock, signal } = parts;
	const rest = await openGitHub({ token, apiUrl: parts.run.apiUrl, clock, signal });
	const record = new Deployment(request, parts, { owner, repo }, rest);
	if (request.deploys) await record.open(ref);
	return record;
}

class Deployment implements DeploymentRecord {
	readonly #request: DeploymentRequest;
	readonly #parts: DeploymentParts;
	readonly #place: { readonly owner: string; readonly repo: string };
	readonly #rest: GitHubCalls;
	#id: number | undefined;
	#refused = false;

	constructor(
		request: DeploymentRequest,
		parts: DeploymentParts,
		place: { owner: string; repo: string },
		rest: GitHubCalls,
	) {
		this.#request = request;
		this.#parts = parts;
		this.#place = place;
		this.#rest = rest;
	}

	async open(ref: string): Promise<void> {
		const { environment, description } = this.#request;
		await this.#try(async () => {
			const { data } = await this.#rest.repos.createDeployment({
				...this.#place,
				ref,
				environment,
				description: description.slice(0, LONGEST_DESCRIPTION),
				payload: { made_by: MADE_BY, run: this.#parts.run.runUrl ?? '' },
				// The workflow itself is one of the checks, and it is not done yet.
				required_contexts: [],
				auto_merge: false,
			});
			if ('id' in data) this.#id = data.id;
			await this.#tell('queued');
		});
	}

	async start(): Promise<void> {
		await this.#try(() => this.#tell('in_progress'));
	}

	async end(report: RunReport): Promise<void> {
		await this.#try(async () => {
			if (!this.#request.deploys) {
				if (report.failure === undefined) await this.#endOlder();
				return;
			}
			const { state, ...text } = endOf(report);
			await this.#tell(state, text);
			if (state === 'success') await this.#endOlder();
		});
	}

	async #tell(state: State, text: StatusText = {}, id = this.#id): Promise<void> {
		if (id === undefined) return;
		const { runUrl } = this.#parts.run;
		await this.#rest.repos.createDeploymentStatus({
			...this.#place,
			deployment_id: id,
			state,
			...(runUrl === undefined ? {} : { log_url: runUrl }),
			...text,
		});
	}

	/** GitHub ends older deployments by itself only where the environment is no production environment. */
	async #endOlder(): Promise<void> {
		const { environment } = this.#request;
		const { data } = await this.#rest.repos.listDeployments({ ...this.#place, environment, per_page: LOOKED_AT });
		for (const older of data) {
			const isOlder = older.environment === environment && (this.#id === undefined || older.id < this.#id);
			if (!isOlder || !isOurs(older.payload)) continue;
			const statuses = await this.#rest.repos.listDeploymentStatuses({
				...this.#place,
				deployment_id: older.id,
				per_page: 1,
			});
			if (ACTIVE.has(statuses.data[0]?.state ?? 'inactive')) await this.#tell('inactive', {}, older.id);
		}
	}

	async #try(work: () => Promise<void>): Promise<void> {
		if (this.#refused) return;
		try {
			await work();
		} catch (error) {
			this.#refused = true;
			const why = isForbidden(error)
				? 'the token may not write one: add `permissions: deployments: write`; pull requests from forks never may'
				: messageOf(error);
			this.#parts.log.notice(`No GitHub deployment for ${this.#request.environment}: ${why}.`);
		}
	}
}

/** The payload comes back as it was sent, or as text. */
function isOurs(payload: unknown): boolean {
	const read = typeof payload === 'string' ? parseJson(payload) : payload;
	return isObject(read) && textAt(read, 'made_by') === MADE_BY;
}

function endOf(report: RunReport): StatusText & { readonly state: State } {
	const { failure, job, rollout, batchRollout, jobDetached } = report;
	const [whole = ''] = (failure?.message ?? '').split('\n');
	if (failure !== undefined) return { state: 'failure', description: whole.slice(0, LONGEST_DESCRIPTION) };
	const address = addressOf(rollout?.scoringUri ?? batchRollout?.scoringUri ?? job?.studioUrl);
	if (rollout !== undefined || batchRollout !== undefined) return { state: 'success', ...address };
	// A job that goes on by itself has brought nothing into the environment yet, and neither has a run that only tried to.
	if (jobDetached) return { state: 'in_progress', description: 'The job goes on in Azure ML.', ...address };
	return report.deployWanted
		? { state: 'inactive', description: 'Nothing was deployed.' }
		: { state: 'success', ...address };
}

function addressOf(text: string | undefined): StatusText {
	if (text === undefined || !URL.canParse(text)) return {};
	const { protocol, username, password, href } = new URL(text);
	return /^https?:$/.test(protocol) && username === '' && password === '' ? { environment_url: href } : {};
}
