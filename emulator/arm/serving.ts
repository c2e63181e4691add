// The scoring processes behind managed online deployments: started with model and code on disk, kept by deployment.

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoringProcess, ServeRequest } from '../execution.ts';
import { fetchPlace } from '../files.ts';
import type { Platform } from '../platform.ts';
import { startScoring } from '../serving/scoring.ts';
import type { Resource } from '../state.ts';
import { objectOf, textOf } from './call.ts';
import { OperationError } from './operations.ts';
import { References } from './references.ts';

interface Served {
	process?: ScoringProcess;
	/** What the storage initializer would have said. */
	initializer: string[];
	folder: string;
	/** Settles when requests are taken, or never will be. */
	ready: Promise<void>;
}

/** The deployments of one emulator that are served now. Keys are those of the resource store. */
export class Serving {
	readonly #platform: Platform;
	readonly #served = new Map<string, Served>();

	/** `platform` holds the deployments and their content. */
	constructor(platform: Platform) {
		this.#platform = platform;
	}

	/** Serves a deployment anew; resolves when it takes requests. What was served before goes on until then. */
	async start(key: string, deployment: Resource): Promise<void> {
		const before = this.#served.get(key);
		const folder = await mkdtemp(join(this.#platform.workFolder, 'deployment-'));
		const served: Served = { initializer: [], folder, ready: Promise.resolve() };
		served.ready = this.#bring(key, deployment, served);
		served.ready.catch(() => {});
		if (!before) this.#served.set(key, served);
		try {
			await served.ready;
		} finally {
			this.#served.set(key, served);
			if (before) await end(before);
		}
	}

	/** Serves again what an earlier start of the emulator served. */
	resume(): void {
		for (const [key, deployment] of this.#platform.state.resources.entries()) {
			if (!deployment.type.endsWith('/onlineEndpoints/deployments')) continue;
			if (deployment.properties['provisioningState'] !== 'Succeeded') {
				deployment.properties['provisioningState'] = 'Failed';
				continue;
			}
			this.start(key, deployment).catch(() => {
				deployment.properties['provisioningState'] = 'Failed';
				this.#platform.state.resources.touch();
			});
		}
	}

	/** Gives the port of a deployment once it takes requests; rejects when it does not. */
	async port(key: string): Promise<number> {
		const served = this.#served.get(key);
		if (!served) throw new Error('The deployment is not served.');
		await served.ready;
		if (!served.process) throw new Error('The deployment is not served.');
		return served.process.port();
	}

	/** Gives the last lines of a container's log; empty for a deployment that was never served. */
	log(key: string, container: string, tail?: number): string {
		const served = this.#served.get(key);
		if (container !== 'StorageInitializer') return served?.process?.log(tail) ?? '';
		return (served?.initializer ?? []).slice(tail === undefined ? 0 : -tail).join('\n');
	}

	/** Ends the process of a deployment and forgets its log. */
	async remove(key: string): Promise<void> {
		const served = this.#served.get(key);
		this.#served.delete(key);
		if (served) await end(served);
	}

	/** Ends every process. */
	async stop(): Promise<void> {
		await Promise.all([...this.#served.keys()].map((key) => this.remove(key)));
	}

	async #bring(key: string, deployment: Resource, served: Served): Promise<void> {
		const endpoint = decodeURIComponent(key.split('/').at(-3) ?? '');
		const fault = this.#platform.provisioningFaults.take(endpoint, deployment.name);
		if (fault?.hasContainer === false) throw new OperationError(fault.code, fault.message(deployment.name));
		const request = await this.#request(key, deployment, served);
		served.process = startScoring(request);
		try {
			await served.process.ready;
		} catch (error) {
			// Code and wording as Microsoft's troubleshooting guide has them; the reason is in the log of the container.
			throw new OperationError(
				'ResourceNotReady',
				`User container has crashed or terminated. Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-resourcenotready (${error instanceof Error ? error.message : String(error)})`,
			);
		}
		if (fault !== undefined) throw new OperationError(fault.code, fault.message(deployment.name));
	}

	async #request(key: string, deployment: Resource, served: Served): Promise<ServeRequest> {
		const { properties } = deployment;
		const references = new References(this.#platform, key.split('/')[0] ?? '');
		const { codeId, scoringScript } = objectOf(properties['codeConfiguration']);
		const [code, script] = [textOf(codeId), textOf(scoringScript)];
		const model = textOf(properties['model']);
		const modelType = model === undefined ? undefined : textOf(references.asset(model)?.properties['modelType']);
		if (script === undefined && modelType !== 'mlflow_model') {
			throw new OperationError(
				'BadArgument',
				'The emulator serves a scoring script or an MLflow model; containers with a server of their own are not emulated.',
			);
		}
		const { folder } = served;
		if (code !== undefined) await this.#fetch(references, code, join(folder, 'code'), served);
		if (model !== undefined) {
			const uri = textOf(references.asset(model)?.properties['modelUri']) ?? model;
			const last = uri.replace(/\/+$/, '').split('/').at(-1) || 'model';
			await this.#fetch(references, uri, join(folder, 'model', decodeURIComponent(last)), served);
		}
		return {
			...(code === undefined ? {} : { codeFolder: join(folder, 'code') }),
			...(script === undefined ? {} : { scoringScript: script }),
			...(model === undefined ? {} : { modelFolder: join(folder, 'model') }),
			...(modelType === undefined ? {} : { modelType }),
			environmentVariables: objectOf(properties['environmentVariables']) as Record<string, string>,
			workFolder: join(folder, 'work'),
			host: this.#platform.processEnvironment,
		};
	}

	async #fetch(references: References, uri: string, to: string, served: Served): Promise<void> {
		served.initializer.push(`Downloading ${uri}`);
		try {
			await fetchPlace(this.#platform.storage, references.place(uri), to);
		} catch (error) {
			const message = error instanceof Error ? error.message : String(error);
			served.initializer.push(`Failed: ${message}`);
			throw new OperationError('BadArgument', `The content of the deployment could not be downloaded. ${message}`);
		}
		served.initializer.push('Done');
	}
}

async function end(served: Served): Promise<void> {
	await served.process?.stop();
	await rm(served.folder, { recursive: true, force: true });
}
