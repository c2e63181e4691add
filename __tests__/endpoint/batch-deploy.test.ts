import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BatchDeployParts, type BatchRolloutResult, deployBatch } from '../../src/endpoint/batch-deploy.ts';
import { readBatchDeployment } from '../../src/endpoint/batch-deployment-file.ts';
import { readBatchEndpoint } from '../../src/endpoint/batch-file.ts';
import type { BatchDeployRequest } from '../../src/endpoint/batch-plan.ts';
import { undoCutOff } from '../../src/endpoint/cut-off.ts';
import { ActionError, JobError, RolloutError } from '../../src/errors.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { type Bench, refuse, startBench } from './online-service.ts';

const E = '/batchEndpoints/iris';
const OLD = { defaults: { deploymentName: 'blue' }, authMode: 'AADToken' };

let bench: Bench;
let followed: string[];
let parts: BatchDeployParts;
beforeEach(async () => {
	bench = await startBench();
	bench.service.score = () => ({ status: 201, json: { name: 'batchjob-1' } });
	followed = [];
	parts = { ...bench.parts, followJob: async (name) => void followed.push(name) };
});
afterEach(() => bench.stop());

const deploymentFile = (yaml = 'model: azureml:iris:1\ncompute: azureml:cpu', name = '') =>
	readBatchDeployment(loadYaml(`endpoint_name: iris\n${name}${yaml}`, 'd.yml', '/'));
const endpointFile = (yaml = '') => readBatchEndpoint(loadYaml(`name: iris\n${yaml}`, 'e.yml', '/'));

const asked: BatchDeployRequest = {
	endpoint: {},
	deployment: { file: deploymentFile() },
	makeDefault: true,
	smokeTest: { body: '{"inputData":{"data":{"jobInputType":"UriFolder","uri":"azureml:d:1"}}}' },
	onFailure: 'rollback',
	deletePrevious: false,
	tags: { run: '1' },
};

/** An endpoint that serves from `blue`. */
function seed(): void {
	bench.service.seed('iris', { blue: 0 }, OLD);
}

const defaultNow = (): unknown => bench.service.endpoints.get('iris')?.properties.defaults?.deploymentName;
const deploy = (change: Partial<BatchDeployRequest> = {}): Promise<BatchRolloutResult> =>
	deployBatch({ ...asked, ...change }, parts);

async function failure(change: Partial<BatchDeployRequest> = {}): Promise<RolloutError> {
	const error = await deploy(change).then(
		() => new Error('the rollout was expected to fail'),
		(reason: unknown) => reason,
	);
	if (error instanceof RolloutError) return error;
	throw error;
}

describe('a rollout that goes well', () => {
	test('makes endpoint and deployment, has it score, and makes it the default one', async () => {
		const result = await deploy();
		expect(bench.service.changes()).toEqual([`PUT ${E}`, `PUT ${E}/deployments/blue`, `PUT ${E}`]);
		expect(followed).toEqual(['batchjob-1']);
		expect(result).toEqual({
			endpointName: 'iris',
			deploymentName: 'blue',
			scoringUri: `${bench.service.base}/score/iris`,
			defaultDeployment: 'blue',
			previousDefault: undefined,
			rolledBack: false,
			smokeJob: 'batchjob-1',
			created: { endpoint: true, deployment: true },
			deleted: [],
			consoleUrl: expect.stringContaining('/endpoints/batch/iris/'),
		});
		expect(bench.published).toHaveLength(2);
	});

	test('starts the job with the token of the caller for Azure ML, on the new deployment, before the switch', async () => {
		seed();
		const defaults: unknown[] = [];
		parts = { ...parts, followJob: async () => void defaults.push(defaultNow()) };
		await deploy();
		expect([...defaults, defaultNow()]).toEqual(['blue', 'green']);
		const sent = bench.service.requests.filter(({ method, path }) => method === 'POST' && path === '/score/iris');
		expect(sent.map(({ body }) => body)).toEqual([
			{ properties: { inputData: { data: { jobInputType: 'UriFolder', uri: 'azureml:d:1' } } } },
		]);
		expect(sent[0]?.headers).toMatchObject({
			'azureml-model-deployment': 'green',
			authorization: 'Bearer token-for-ml/.default',
		});
	});

	test('sends a request that has properties as it stands, whatever its numbers', async () => {
		seed();
		const texts: string[] = [];
		const body = '{"properties": {"inputData": {"n": {"jobInputType": "Literal", "value": 1.50}}}}';
		const { send } = parts.bearer;
		parts = {
			...parts,
			bearer: {
				send: (request, scope) => {
					if (request.url.includes('/score/')) texts.push(String(request.body));
					return send(request, scope);
				},
			},
		};
		await deploy({ smokeTest: { body } });
		expect(texts).toEqual([body]);
	});

	test('leaves the default deployment alone where it is not to be switched', async () => {
		seed();
		const { deploymentName, defaultDeployment } = await deploy({ makeDefault: false, smokeTest: undefined });
		expect([deploymentName, defaultDeployment, defaultNow()]).toEqual(['green', 'blue', 'blue']);
		expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/green`]);
		expect(followed).toEqual([]);
	});

	test('keeps all that the endpoint is when it switches', async () => {
		seed();
		await deploy();
		const last = bench.service.requests.filter(({ method, path }) => method === 'PUT' && path === E).at(-1);
		expect(last?.body).toMatchObject({
			location: 'westeurope',
			tags: { team: 'a' },
			identity: { type: 'SystemAssigned' },
			properties: { authMode: 'AADToken', defaults: { deploymentName: 'green' } },
		});
	});

	test('deletes the deployment that was the default one before, where that is asked for', async () => {
		seed();
		expect((await deploy({ deletePrevious: true })).deleted).toEqual(['blue']);
		expect(bench.service.deploymentNames('iris')).toEqual(['green']);
	});

	test('says that a deployment which is the default one cannot be tested first', async () => {
		seed();
		const result = await deploy({ deployment: { file: deploymentFile(undefined, 'name: blue\n') } });
		expect(bench.warnings).toEqual([expect.stringContaining('updated in place')]);
		expect([result.defaultDeployment, result.created.deployment]).toEqual(['blue', false]);
		expect(bench.service.changes()).toEqual([`PUT ${E}/deployments/blue`]);
	});

	test('waits out another change of the endpoint', async () => {
		seed();
		let refusals = 2;
		bench.service.intercept = ({ method, path }) => {
			if (method !== 'PUT' || !path.endsWith('/green') || refusals === 0) return undefined;
			refusals -= 1;
			return refuse(409, 'Conflict', 'busy');
		};
		expect((await deploy()).defaultDeployment).toBe('green');
	});
});

describe('what is sent', () => {
	const bodyOf = (path: string): unknown =>
		bench.service.requests.find((one) => one.method === 'PUT' && one.path === path)?.body;

	test("has the run's model in the place of the file's, the number of instances, and tags of both", async () => {
		const file = deploymentFile('model: azureml:iris:1\ncompute: azureml:cpu\ntags: {run: own}');
		const model = { name: 'iris', version: '9', id: 'new-id', type: 'custom_model' };
		await deploy({ deployment: { file, name: 'mine', instanceCount: 3 }, model, tags: { run: '1', sha: 'a' } });
		expect(bodyOf(`${E}/deployments/mine`)).toMatchObject({
			tags: { run: 'own', sha: 'a' },
			properties: {
				model: { referenceType: 'Id', assetId: 'new-id' },
				compute: expect.stringMatching(/\/computes\/cpu$/),
				resources: { instanceCount: 3 },
			},
		});
		// The model of the file is not looked for; the compute is.
		expect(bench.published).toEqual([{ need: 'reference', reference: expect.objectContaining({ name: 'cpu' }) }]);
	});

	test('for a pipeline component has no model, which is said', async () => {
		const file = deploymentFile('type: pipeline\ncomponent: azureml:score:1');
		const model = { name: 'iris', version: '9', id: 'new-id', type: 'custom_model' };
		await deploy({ deployment: { file }, model });
		expect(JSON.stringify(bodyOf(`${E}/deployments/blue`))).not.toContain('new-id');
		expect(bench.warnings).toEqual([expect.stringContaining('no part of this deployment')]);
	});
});

describe('an endpoint file alone', () => {
	const alone = (yaml = ''): Partial<BatchDeployRequest> => ({
		endpoint: { file: endpointFile(yaml) },
		deployment: {},
		smokeTest: undefined,
	});

	test('makes the endpoint and no more', async () => {
		const result = await deploy(alone('description: d'));
		expect(bench.service.changes()).toEqual([`PUT ${E}`]);
		expect([result.deploymentName, result.created]).toEqual(['', { endpoint: true, deployment: false }]);
		expect(result.scoringUri).toBe(`${bench.service.base}/score/iris`);
	});

	test('brings an endpoint up to date and keeps its default deployment, whatever the file says of it', async () => {
		seed();
		const result = await deploy(alone('description: new\ndefaults: {deployment_name: other}'));
		expect(bench.service.endpoints.get('iris')?.properties['description']).toBe('new');
		expect([defaultNow(), result.defaultDeployment]).toEqual(['blue', 'blue']);
		expect(bench.warnings).toEqual([expect.stringMatching(/iris is blue; .*says other/)]);
	});

	test('sends nothing where all is so already', async () => {
		seed();
		await deploy(alone());
		expect(bench.service.changes()).toEqual([]);
	});
});

describe('a rollout that fails', () => {
	const jobFails = (): void => {
		const error = new JobError({ what: 'The job batchjob-1 ended as Failed.', why: 'No such column.' }, 'Failed', []);
		parts = { ...parts, followJob: async () => Promise.reject(error) };
	};

	test('in its scoring job leaves the default deployment as it was and deletes the new one', async () => {
		seed();
		jobFails();
		const error = await failure();
		expect(error.message).toMatch(/"green" on the batch endpoint "iris" failed: the scoring job batchjob-1/);
		expect(error.message).toMatch(/No such column\. The default deployment was not touched \(blue\)\. .*was deleted/);
		expect([error.rolledBack, defaultNow(), bench.service.deploymentNames('iris')]).toEqual([true, 'blue', ['blue']]);
		expect(error.left).toMatchObject({ endpointName: 'iris', deploymentName: undefined });
		expect(bench.service.changes()).not.toContain(`PUT ${E}`);
	});

	test('keeps the new deployment where that is asked for', async () => {
		seed();
		jobFails();
		const error = await failure({ onFailure: 'keep' });
		expect([error.rolledBack, bench.service.deploymentNames('iris')]).toEqual([true, ['blue', 'green']]);
		expect(error.message).toContain('kept for a look');
		expect(error.left).toMatchObject({ endpointName: 'iris', deploymentName: 'green' });
	});

	test('never deletes a deployment that was there before', async () => {
		seed();
		bench.service.seedDeployment('iris', 'green');
		jobFails();
		const error = await failure({ deployment: { file: deploymentFile(), name: 'green' } });
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'green']);
		expect(error.message).toContain('existed before');
	});

	test('is not rolled back where the default deployment itself was updated', async () => {
		seed();
		jobFails();
		const error = await failure({ deployment: { file: deploymentFile(), name: 'blue' } });
		expect([error.rolledBack, bench.service.deploymentNames('iris')]).toEqual([false, ['blue']]);
	});

	test('while it is provisioned says why', async () => {
		seed();
		bench.service.provisioning.set('green', { code: 'BadModel', message: 'The model cannot be read.' });
		const error = await failure();
		expect(error.message).toMatch(/failed: provisioning\. .*The model cannot be read/);
		expect([defaultNow(), bench.service.deploymentNames('iris'), followed]).toEqual(['blue', ['blue'], []]);
	});

	test('when the job cannot be started', async () => {
		seed();
		bench.service.score = () => refuse(400, 'UserError', 'inputData is missing');
		const error = await failure();
		expect(error.message).toMatch(/starting the scoring job\. .*inputData is missing/);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue']);
	});

	test('after an answer that leaves open whether there is a job, starts no second one', async () => {
		seed();
		bench.service.score = () => refuse(504, 'Timeout', 'no answer');
		await failure();
		expect(bench.service.requests.filter(({ path }) => path === '/score/iris')).toHaveLength(1);
	});

	test('in the switch puts the default deployment back', async () => {
		seed();
		const { arm } = parts.workspace;
		let puts = 0;
		// The service takes the switch, and what watches it fails.
		parts = {
			...parts,
			workspace: {
				...parts.workspace,
				arm: {
					...arm,
					settle: async (path, answer, options) => {
						const settled = await arm.settle(path, answer, options);
						if (path.endsWith(E) && ++puts === 1) throw new Error('The watch broke.');
						return settled;
					},
				},
			},
		};
		const error = await failure();
		expect(error.message).toMatch(
			/making it the default deployment\. The watch broke\. .*was put back as before \(blue\)/,
		);
		expect([error.rolledBack, defaultNow(), bench.service.deploymentNames('iris')]).toEqual([true, 'blue', ['blue']]);
	});

	test('keeps a deployment that may be the default one', async () => {
		seed();
		bench.service.intercept = ({ method, path }) =>
			method === 'PUT' && path === E && defaultNow() === 'green' ? refuse(403, 'Forbidden', 'no') : undefined;
		const { arm } = parts.workspace;
		const settle: typeof arm.settle = async (path, answer, options) => {
			const settled = await arm.settle(path, answer, options);
			if (path.endsWith(E)) throw new Error('The watch broke.');
			return settled;
		};
		parts = { ...parts, workspace: { ...parts.workspace, arm: { ...arm, settle } } };
		const error = await failure();
		expect(error.message).toMatch(/could not be put back to blue; set it by hand.*kept, because it may be the default/);
		expect([error.rolledBack, bench.service.deploymentNames('iris')]).toEqual([false, ['blue', 'green']]);
	});

	test('leaves a default deployment that someone else has set meanwhile', async () => {
		seed();
		bench.service.seedDeployment('iris', 'theirs');
		parts = {
			...parts,
			followJob: async () => {
				const endpoint = bench.service.endpoints.get('iris');
				if (endpoint !== undefined) endpoint.properties.defaults = { deploymentName: 'theirs' };
			},
		};
		const error = await failure();
		expect(error.message).toMatch(/Expected blue, found theirs.*left as they set it \(theirs\)/);
		expect([error.rolledBack, defaultNow()]).toEqual([false, 'theirs']);
		expect(bench.service.deploymentNames('iris')).toEqual(['blue', 'theirs']);
	});

	test('when the workflow is cancelled cleans up in the seconds that are left', async () => {
		seed();
		const stop = new AbortController();
		parts = {
			...parts,
			signal: stop.signal,
			followJob: async () => {
				stop.abort(new ActionError({ what: 'The workflow was cancelled.' }));
				throw stop.signal.reason;
			},
		};
		const error = await failure();
		expect(error.message).toMatch(/was cancelled during: the scoring job batchjob-1/);
		expect(error.message).toContain('is being deleted');
		expect(bench.service.changes().at(-1)).toBe(`DELETE ${E}/deployments/green`);
		expect(defaultNow()).toBe('blue');
	});
});

test('no token goes to a host that may not see one, and nothing is deployed then', async () => {
	bench.service.seed('iris', { blue: 0 }, { ...OLD, scoringUri: 'https://stranger.example/jobs' });
	await expect(deploy()).rejects.toThrow(/stranger\.example/);
	expect(bench.service.changes()).toEqual([]);
});

test('two names for one endpoint are refused before anything is sent', async () => {
	const file = readBatchEndpoint(loadYaml('name: other', 'e.yml', '/'));
	await expect(deploy({ endpoint: { file } })).rejects.toThrow(/"other".*"iris"/);
	expect(bench.service.requests).toEqual([]);
});

describe('a rollout whose process is killed', () => {
	/** Leaves a rollout for ever where it follows its scoring job. Gives the note that it has left. */
	async function killedWhileScoring(): Promise<string> {
		seed();
		await new Promise<void>((reached, failed) => {
			const followJob = (): Promise<void> => {
				reached();
				return new Promise(() => {});
			};
			deployBatch(asked, { ...parts, followJob }).catch(failed);
		});
		return bench.notes.at(-1) ?? '';
	}

	test('before the switch loses its deployment to the post step, and the default stays', async () => {
		const note = await killedWhileScoring();
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect([defaultNow(), bench.service.deploymentNames('iris')]).toEqual(['blue', ['blue']]);
		expect(bench.lines.at(-1)).toMatch(/was cut off\. The default deployment is as before \(blue\)\. .*was deleted/);
	});

	test('after the switch has the default put back first', async () => {
		const note = await killedWhileScoring();
		const properties = bench.service.endpoints.get('iris')?.properties;
		if (properties !== undefined) properties.defaults = { deploymentName: 'green' };
		expect(await undoCutOff(note, bench.parts)).toBe(true);
		expect([defaultNow(), bench.service.deploymentNames('iris')]).toEqual(['blue', ['blue']]);
	});

	test('leaves nothing to do when it ends by itself', async () => {
		seed();
		await deploy();
		expect(bench.notes).toEqual([expect.stringContaining('"kind":"batch"'), '']);
	});
});
