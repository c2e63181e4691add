// An emulated workspace to which things happen, and the evidence of each run of the built action against it.
import { readFileSync } from 'node:fs';
import type { RecordedRequest } from '../../emulator/ledger.ts';
import { everySecret } from '../e2e/every-secret.ts';
import type { ActionRun } from '../e2e/runner.ts';
import { openSite, type Site, type SiteRequest } from '../e2e/site.ts';
import { annotationsOf, shownLines, withoutMasks } from '../e2e/workflow-log.ts';
import { type Loopback, serve } from '../fixtures/loopback.ts';
import { judge } from './judge.ts';

/** What should become of a run. */
export interface Expected {
	/** Exit code of the main step; null where it was killed. */
	readonly code: 0 | 1 | null;
	/** What the error, or a warning, must say. */
	readonly says?: RegExp;
	/** Its job on the server, and its state at the end, any where absent; `none`: there must be no job of that name. */
	readonly job?: { readonly name: string; readonly state?: string | 'none' };
	/** Whether the job's log must have been shown whole; true where the job has ended by itself. */
	readonly log?: boolean;
	/** Shares of an endpoint's deployments. */
	readonly traffic?: { readonly endpoint: string; readonly shares: object };
}

/** A run with what is to be known of it. */
export interface FaultRun extends ActionRun {
	/** Errors and warnings, as people read them. */
	readonly said: string;
	/** The promises that this run has broken. */
	broken(expected: Expected): Promise<string[]>;
}

export interface FaultSite extends Omit<Site, 'run'> {
	/** A server of somebody else, which answers all with 200 and remembers what it got. */
	readonly evil: Loopback;
	run(inputs: Readonly<Record<string, string>>, request?: SiteRequest): Promise<FaultRun>;
	/** The sign-in by secret instead of OIDC. */
	readonly principal: Readonly<Record<string, string>>;
}

const ENDED = ['Completed', 'Failed', 'Canceled'];

/** Starts an emulator and the evil server. */
export async function openFaultSite(options: Parameters<typeof openSite>[0] = {}): Promise<FaultSite> {
	const [site, evil] = await Promise.all([
		openSite(options),
		serve(() => ({ body: { value: [], status: 'Succeeded' } })),
	]);
	const { clientId, tenantId, clientSecret } = site.emulator;
	return {
		...site,
		evil,
		principal: { 'client-id': clientId, 'tenant-id': tenantId, 'client-secret': clientSecret },
		async run(inputs, request) {
			const run = await site.run(inputs, request);
			const said = annotationsOf(run.stdout)
				.map(({ message }) => message)
				.join('\n');
			return { ...run, said, broken: (expected) => judgeRun(site, evil, { ...run, said }, expected) };
		},
		async close() {
			await site.close();
			await evil.close();
		},
	};
}

async function judgeRun(
	site: Site,
	evil: Loopback,
	run: ActionRun & { readonly said: string },
	{ code, says, job, log = ENDED.includes(job?.state ?? ''), traffic }: Expected,
): Promise<string[]> {
	const { emulator } = site;
	const states = job === undefined ? [] : await settledStates(site, job.name, job.state);
	const files = job !== undefined && log ? await logsOf(site, job.name) : new Map<string, Buffer>();
	const endpoint = emulator.endpoints().find(({ name }) => name === traffic?.endpoint);
	return judge({
		sinks: { ...sinksOf(run), ...(await sinksOfSite(site)) },
		canaries: await everySecret(emulator),
		log: { shown: shownLines(run.stdout), files, alone: false },
		jobs: job && { states, expected: job.state === 'none' ? 0 : 1 },
		traffic: traffic && { is: (endpoint?.properties['traffic'] as object) ?? {}, shouldBe: traffic.shares },
		requests: {
			sent: [
				...site.requests().map((one) => ({ host: one.face, line: one.line, headers: one.headers })),
				...evil.asked.map(({ method, path, headers }) => ({
					host: 'evil',
					line: `${method} ${path}`,
					headers: headers as Record<string, string>,
				})),
			],
			mayHaveToken: ({ host, headers }) => mayHaveToken(site, host as RecordedRequest['face'] | 'evil', headers),
		},
		left: leftBy(run, job, states),
		exit: { code: run.code, expected: code, said: run.said + run.stderr, shouldSay: says },
	});
}

/** Where each text of a run went. */
function sinksOf(run: ActionRun): Record<string, string> {
	return {
		log: withoutMasks(run.stdout),
		'error stream': run.stderr,
		summary: run.summaryMarkdown,
		outputs: JSON.stringify(run.outputs),
		state: JSON.stringify(run.state),
		'plan file': textOf(run.outputs['plan-path']),
		'log of the post step': withoutMasks(run.post.stdout) + run.post.stderr,
	};
}

function textOf(path: string | undefined): string {
	return path === undefined ? '' : readFileSync(path, 'utf8');
}

/** What has been written to GitHub and to storage, by whatever run; not what jobs have printed. */
async function sinksOfSite({ emulator }: Site): Promise<Record<string, string>> {
	const uploaded = (await emulator.blobs()).filter(({ name }) => !name.startsWith('ExperimentRun/'));
	const contents = await Promise.all(uploaded.map(({ container, name }) => emulator.readBlob(container, name)));
	return {
		comments: JSON.stringify([emulator.gitHubStore.comments]),
		'uploaded files': contents.map((bytes) => bytes?.toString('latin1') ?? '').join('\0'),
	};
}

/** The face that a credential was made for; a signed URL takes none, but the account's own key may sign. */
function mayHaveToken({ emulator }: Site, face: RecordedRequest['face'] | 'evil', headers: Sent): boolean {
	const given = headers['authorization'] ?? '';
	if (face === 'evil' || face === 'entra' || face === 'studio') return false;
	if (face === 'storage') return given.startsWith('SharedKey ');
	const ofGitHub = given.includes(emulator.github.token) || given.includes(emulator.github.idTokenRequestToken);
	return ofGitHub === (face === 'github');
}

type Sent = Readonly<Record<string, string | undefined>>;

/** The states of the jobs of this name, once they have ended where they are to; after ten seconds whatever they are. */
async function settledStates({ emulator }: Site, name: string, wanted: string | undefined): Promise<string[]> {
	const states = (): string[] => emulator.jobs().flatMap((job) => (job.name === name ? [job.status] : []));
	for (let turn = 0; turn < 200 && wanted !== undefined && wanted !== 'none' && states()[0] !== wanted; turn += 1)
		await new Promise((done) => setTimeout(done, 50));
	return states();
}

async function logsOf({ emulator }: Site, job: string): Promise<Map<string, Buffer>> {
	const path = 'user_logs/std_log.txt';
	const bytes = await emulator.readBlob('azureml', `ExperimentRun/dcid.${job}/${path}`);
	return new Map(bytes === undefined ? [] : [[path, bytes]]);
}

function leftBy(run: ActionRun, job: Expected['job'], states: readonly string[]): string[] {
	const pid = Number(/^pid (\d+)$/m.exec(run.stdout)?.[1]);
	const [state] = states;
	return [
		...(job !== undefined && job.state !== undefined && state !== undefined && state !== job.state
			? [`the job ${job.name}, which is ${state}`]
			: []),
		...(pid > 1 && ENDED.includes(job?.state ?? '') && isAlive(pid) ? [`the training, process ${pid}`] : []),
		...(run.post.code === 0 ? [] : [`a post step that ended with ${run.post.code}`]),
	];
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
