// One run of the train step in virtual time: the real code from the submission to the last byte of the log, against
// virtual-azure.ts. Its evidence is judged as that of a real run is.
import { createArm } from '../../src/azure/arm.ts';
import { createBearerHttp } from '../../src/azure/bearer.ts';
import { createTokenCache } from '../../src/azure/token-cache.ts';
import { connectWorkspace } from '../../src/azure/workspace.ts';
import { messageOf, SignInError } from '../../src/errors.ts';
import { readJobFile } from '../../src/job/file/index.ts';
import { deriveJobName } from '../../src/job/name.ts';
import { type TrainFacts, type TrainRequest, train } from '../../src/job/train.ts';
import { createGitHubLog, type Log } from '../../src/log.ts';
import { createSecrets } from '../../src/secrets.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { type EventClock, eventClock } from '../fixtures/event-clock.ts';
import { runContext } from '../fixtures/run-context.ts';
import { customCloud, TARGET } from '../fixtures/workspace.ts';
import { chanceOf } from '../job/log-scene.ts';
import { type Evidence, judge } from './judge.ts';
import { MANAGER, VirtualAzure } from './virtual-azure.ts';

export const LOG = 'user_logs/std_log.txt';
export const SECRET = 'virtual~client/secret+Q8';
const IDENTITY = { 'job-file': 'iris.yml' };
const RUN = runContext();
/** The name that the run gives its job. */
export const JOB = deriveJobName('iris.yml', IDENTITY, RUN);
const FILE = {
	path: 'iris.yml',
	job: readJobFile(
		loadYaml('command: python train.py\nenvironment: azureml:e:1\ncompute: azureml:cpu\n', 'iris.yml', '/checkout'),
	),
};

export interface WorldOptions {
	readonly seed?: number;
	/** Life of an access token, in milliseconds. */
	readonly tokenLife?: number;
}

/** What should become of a run. */
export interface WorldExpectation {
	readonly code: 0 | 1;
	readonly says?: RegExp;
	/** Whether the log must be shown whole, byte for byte; `lines` where several files are, whose lines all differ. */
	readonly log?: boolean | 'lines';
	/** How many jobs there must be; one when absent. */
	readonly jobs?: number;
}

/** How a run ended. */
export interface WorldRun {
	readonly code: 0 | 1;
	readonly said: string;
	readonly shown: readonly string[];
	readonly facts: Partial<TrainFacts>;
	/** The promises that were broken. */
	broken(expected: WorldExpectation): string[];
}

/** A workspace, a workflow run, and time. */
export class World {
	readonly chance: () => number;
	readonly clock: EventClock;
	readonly azure: VirtualAzure;
	readonly stop = new AbortController();
	/** Whether no token can be had, by the age of the last one. */
	tokensDown: (age: number) => boolean = () => false;
	tokenFailures = 0;
	/** Retries, as the debug log has them. */
	readonly retries: string[] = [];
	/** Lines of ours, annotations among them. */
	readonly told: string[] = [];
	/** Lines of the job, as people see them. */
	readonly shown: string[] = [];
	/** Resolves when the runner has taken what was printed. */
	ready: () => Promise<void> = async () => {};
	/** The job that the post step would look for. */
	guarded: string | undefined;
	readonly #secrets = createSecrets();
	readonly #canaries = new Map([[SECRET, 'client secret']]);
	readonly #tokens = new Map<string, number>();
	readonly #tokenLife: number;

	constructor({ seed = 1, tokenLife = 3_600_000 }: WorldOptions = {}) {
		this.chance = chanceOf(seed);
		this.clock = eventClock({ chance: chanceOf(seed + 1_000_000) });
		this.azure = new VirtualAzure(this.clock, (line) => this.retries.push(line));
		this.#tokenLife = tokenLife;
		this.#secrets.add(SECRET);
		this.azure.accepts = (token) => (this.#tokens.get(token) ?? 0) > this.clock.now();
	}

	/** Lets the job take on a state, `ms` after the start; it is there from its submission on. */
	turn(ms: number, status: string): void {
		this.clock.at(ms, () => {
			const job = this.azure.jobs.get(JOB);
			if (job !== undefined) job.status = status;
		});
	}

	/** Has the job print this, `ms` after the start. */
	print(ms: number, text: string | Buffer, path = LOG): void {
		this.clock.at(ms, () => this.azure.append(path, Buffer.from(text)));
	}

	/** A job that runs after a minute, prints a line every ten minutes, and ends. */
	jobRuns({ hours, end }: { hours: number; end: string }): void {
		this.turn(60_000, 'Running');
		const minutes = hours * 60;
		for (let minute = 2; minute < minutes; minute += Math.max(1, Math.floor(minutes / 60)))
			this.print(minute * 60_000, `minute ${minute} of the training\n`);
		this.turn(hours * 3_600_000, end);
	}

	/** Runs the step. */
	async train(request: Partial<TrainRequest> = {}): Promise<WorldRun> {
		const facts: Partial<TrainFacts> = {};
		let failure: string | undefined;
		try {
			await this.#train(request, facts);
		} catch (error) {
			failure = messageOf(error);
		}
		const code = failure === undefined ? 0 : 1;
		const said = [...this.told, failure ?? ''].join('\n');
		const run = { code, said, shown: this.shown, facts } as const;
		return { ...run, broken: (expected) => judge(this.#evidence(run, expected)) };
	}

	#log(): Log {
		const into = (lines: string[]) => (text: string) => lines.push(...text.slice(0, -1).split('\n'));
		const own = createGitHubLog(this.#secrets, into(this.told));
		const foreign = createGitHubLog(this.#secrets, into(this.shown));
		// Annotations are printed by the runner's own library, which nothing stands before but this.
		const say = (text: string): void => void this.told.push(this.#secrets.redact(text));
		return {
			info: own.info,
			foreign: foreign.foreign,
			debug: say,
			notice: say,
			warning: say,
			error: say,
			group: own.info,
			endGroup: () => {},
			mask: (value) => this.#secrets.add(value),
			clean: (text) => foreign.clean?.(text) ?? text,
			held: (text) => foreign.held?.(text) ?? 0,
			ready: () => this.ready(),
		};
	}

	async #train(request: Partial<TrainRequest>, facts: Partial<TrainFacts>): Promise<void> {
		const { azure, clock } = this;
		const log = this.#log();
		let given = Number.NEGATIVE_INFINITY;
		const credential = createTokenCache(async () => {
			if (this.tokensDown(clock.now() - given)) {
				this.tokenFailures += 1;
				throw new SignInError({ what: 'The token endpoint does not answer.' });
			}
			const token = `token-${this.#tokens.size + 1}-${'x'.repeat(20)}`;
			given = clock.now();
			const expires = given + this.#tokenLife;
			this.#tokens.set(token, expires);
			this.#canaries.set(token, 'access token');
			log.mask(token);
			return { token, expires };
		}, clock);
		const cloud = customCloud(MANAGER, ['ml.example']);
		const { http } = azure;
		const bearer = createBearerHttp(http, cloud, credential);
		const arm = createArm(bearer, cloud, clock);
		const workspace = await connectWorkspace(TARGET, { cloud, http, bearer, arm });
		const wanted: TrainRequest = {
			file: FILE,
			name: undefined,
			wait: true,
			cancelSuperseded: false,
			reuse: false,
			timeout: undefined,
			onTimeout: 'cancel',
			onCancel: 'cancel',
			identity: IDENTITY,
			...request,
		};
		await train(wanted, {
			workspace,
			publisher: {
				publish: async () => {},
				check: async () => {},
				idOf: ({ need }) => `/resolved/${need}`,
				made: () => [],
				uploadHashOf: () => undefined,
			},
			http,
			log,
			clock,
			signal: this.stop.signal,
			run: RUN,
			onFact: (more) => Object.assign(facts, more),
			guard: (name) => {
				this.guarded = name;
			},
		});
	}

	#evidence(run: Omit<WorldRun, 'broken'>, { code, says, log = true, jobs = 1 }: WorldExpectation): Evidence {
		const { azure } = this;
		for (let turn = 1; turn <= azure.signature; turn += 1)
			this.#canaries.set(azure.signatureText.replace(/\d+/, String(turn)), 'signature of the log');
		const written = [...azure.files].map(([path, bytes]): [string, Buffer] => [
			path,
			Buffer.from(bytes.toString().replaceAll(SECRET, '***')),
		]);
		return {
			sinks: {
				log: this.shown.join('\n'),
				'our lines': run.said,
				retries: this.retries.join('\n'),
			},
			canaries: this.#canaries,
			log:
				log !== false
					? { shown: this.shown, told: this.told, files: new Map(written), alone: log === true }
					: undefined,
			jobs: { states: [...azure.jobs.values()].map(({ status }) => status), expected: jobs },
			left: [
				...azure.misled.map((line) => `a credential, or a request at all, where none belongs: ${line}`),
				...(this.clock.pending === 0 ? [] : [`${this.clock.pending} timers`]),
			],
			exit: { code: run.code, expected: code, said: run.said, shouldSay: says },
		};
	}
}
