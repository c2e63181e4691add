// What the tests of rollouts share: an endpoint of its own for each of them, so that they run side by side, and what the
// emulator has of it afterwards.
import { openClient } from './azure-client.ts';
import { endpointFiles, SCORE_42 } from './checkout.ts';
import type { ActionRun } from './runner.ts';
import type { Site, SiteRequest } from './site.ts';

/** The state of an endpoint, as the emulator holds it. */
export interface Served {
	readonly traffic: Readonly<Record<string, number>> | undefined;
	/** Names, sorted. */
	readonly deployments: readonly string[];
	/** Every traffic map there was, oldest first. */
	readonly history: readonly Readonly<Record<string, number>>[];
	/** Versions of the model of the endpoint's name. */
	readonly versions: number;
}

/** What came of many rollouts, by title. */
export class Outcomes<T> {
	readonly #outcomes = new Map<string, T>();

	/** Does the work for each title, a few at a time: each starts scoring processes. */
	async gather(titles: readonly string[], work: (title: string, place: number) => Promise<T>): Promise<void> {
		const left = titles.entries();
		await Promise.all(
			[1, 2, 3].map(async () => {
				for (const [place, title] of left) this.#outcomes.set(title, await work(title, place));
			}),
		);
	}

	/** Throws where there was none. */
	at(title: string): T {
		const outcome = this.#outcomes.get(title);
		if (outcome === undefined) throw new Error(`there was no run for: ${title}`);
		return outcome;
	}
}

/** One endpoint, served by scripts that answer a number. */
export class Endpoint {
	readonly #site: Site;
	readonly name: string;

	constructor(site: Site, name: string) {
		this.#site = site;
		this.name = name;
	}

	/** Registers a model and deploys a script that gives this answer; the smoke test expects 42. */
	deploy(answer: number, inputs: Readonly<Record<string, string>> = {}, request: SiteRequest = {}): Promise<ActionRun> {
		return this.deployScript(SCORE_42.replace('42', String(answer)), inputs, request);
	}

	/** The same with a script of its own. */
	deployScript(
		script: string,
		inputs: Readonly<Record<string, string>> = {},
		request: SiteRequest = {},
	): Promise<ActionRun> {
		const files = { ...endpointFiles(this.name, script), 'model/weights.txt': script };
		const all = {
			'model-name': this.name,
			'model-path': 'model',
			'endpoint-file': 'endpoint.yml',
			'deployment-file': 'deployment.yml',
			'smoke-test-file': 'request.json',
			'smoke-test-expect': '{"answer": 42}',
		};
		return this.#site.run({ ...all, ...inputs }, { files, limit: 90_000, ...request });
	}

	/** What there is now; requests and operations that are under way are waited for. */
	async state(): Promise<Served> {
		const { emulator } = this.#site;
		const pending = (): boolean =>
			emulator.requests.some(({ path, status }) => status === 0 && path.includes(this.name));
		while (pending()) await new Promise((resolve) => setTimeout(resolve, 50));
		await emulator.settled();
		const found = emulator.endpoints().find(({ name }) => name === this.name);
		const history = found?.trafficHistory.map(({ traffic }) => traffic) ?? [];
		const puts = this.#site.requests().filter(({ line, status }) => status === 201 && this.#isVersion(line));
		return {
			traffic: found?.properties['traffic'] as Served['traffic'],
			deployments: (found?.deployments ?? []).map(({ name }) => name).sort(),
			history,
			versions: puts.length,
		};
	}

	/** What it answers to a client. */
	async ask(): Promise<unknown> {
		const { text } = await (await openClient(this.#site.emulator)).score(this.name, '{"data": [1]}');
		return JSON.parse(text);
	}

	/** Sets the traffic as another person would. */
	async setTraffic(traffic: Readonly<Record<string, number>>): Promise<void> {
		const client = await openClient(this.#site.emulator);
		const properties = { authMode: 'Key', traffic };
		await client.put(`/onlineEndpoints/${this.name}`, { location: 'eastus', properties });
	}

	#isVersion(line: string): boolean {
		return line.startsWith(`PUT models/${this.name}/versions/`);
	}

	/** A request about this endpoint, without the workspace's path: `PUT onlineEndpoints/x/deployments/green`. */
	requests(line: RegExp): number {
		return this.#site.requests().filter((one) => one.line.includes(`/${this.name}`) && line.test(one.line)).length;
	}
}
