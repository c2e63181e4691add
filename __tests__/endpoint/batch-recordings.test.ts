// The deploy step of batch endpoints against what the service really answered: the recorded answers are played back, and
// what is asked for is compared with what Microsoft's client asked.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deployBatch } from '../../src/endpoint/batch-deploy.ts';
import { readBatchDeployment } from '../../src/endpoint/batch-deployment-file.ts';
import { readBatchEndpoint } from '../../src/endpoint/batch-file.ts';
import type { BatchDeployRequest } from '../../src/endpoint/batch-plan.ts';
import { deleteEndpoint } from '../../src/endpoint/online-endpoint.ts';
import { type Bench, startBench } from './online-service.ts';
import { configured, describeRecorded, type Exchange, Recording } from './recorded-service.ts';

let bench: Bench;
let recording: Recording;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

const play = (file: string): void => {
	recording = Recording.play(`batch/${file}`, bench.service);
};

describeRecorded('the recorded service', () => {
	test('takes an endpoint, a deployment and a job as this action sends them, and is understood', async () => {
		play('invoke');
		const endpoint = readBatchEndpoint(configured('endpoints/batch/simple_batch_endpoint.yaml'));
		const file = readBatchDeployment(configured('deployments/batch/batch_deployment_3.yaml'));
		const recorded = recording.exchanges.find(({ method, url }) => method === 'POST' && url.includes('inference.ml'));
		const request: BatchDeployRequest = {
			endpoint: { file: endpoint, name: recording.nameIn(/\/batchEndpoints\/([^/?]+)/) },
			deployment: { file, name: recording.nameIn(/\/deployments\/([^/?]+)/) },
			makeDefault: false,
			smokeTest: { body: JSON.stringify(recorded?.requestBody) },
			onFailure: 'keep',
			deletePrevious: false,
			tags: {},
		};
		const followed: string[] = [];
		const result = await deployBatch(request, { ...bench.parts, followJob: async (name) => void followed.push(name) });
		expect(followed).toEqual([expect.stringMatching(/^batchjob-[-0-9a-f]{36}$/)]);
		expect(result.scoringUri).toMatch(/inference\.ml\.azure\.com\/jobs$/);
		expect(recording.writes(bench.service)).toEqual(recording.recordedWrites(/batchEndpoints|inference\.ml/));
		const sent = bench.service.requests.find(({ method, path }) => method === 'PUT' && path.includes('/deployments/'));
		const asked = recording.exchanges.find(({ method, url }) => method === 'PUT' && url.includes('/deployments/'));
		const properties = (sent?.body as Exchange['requestBody'] | undefined)?.properties ?? {};
		expect(Object.keys(properties).sort()).toEqual(Object.keys(asked?.requestBody.properties ?? {}).sort());
		const { codeConfiguration, environmentId, model, compute, loggingLevel, ...plain } = properties;
		expect(asked?.requestBody.properties).toMatchObject(plain);
		const invoked = bench.service.requests.find(({ method }) => method === 'POST');
		expect(invoked?.body).toEqual(recorded?.requestBody);
		expect(invoked?.headers['azureml-model-deployment']).toBe(recorded?.requestHeaders['azureml-model-deployment']);
	});

	test('makes and deletes an endpoint', async () => {
		play('endpoint-create');
		const name = recording.nameIn(/\/batchEndpoints\/([^/?]+)/);
		const endpoint = readBatchEndpoint(configured('endpoints/batch/batch_endpoint.yaml'));
		const result = await deployBatch(
			{
				endpoint: { file: endpoint, name },
				deployment: {},
				makeDefault: true,
				onFailure: 'rollback',
				deletePrevious: false,
				tags: {},
			},
			{ ...bench.parts, followJob: async () => {} },
		);
		expect(result).toMatchObject({ created: { endpoint: true }, defaultDeployment: undefined });
		expect(result.scoringUri).toMatch(/\/jobs$/);
		const gone = await deleteEndpoint(bench.parts.workspace, name, { ...bench.parts, collection: 'batchEndpoints' });
		expect(gone).toBe(true);
		expect(recording.writes(bench.service)).toEqual(recording.recordedWrites(/batchEndpoints|inference\.ml/));
		const [sent, asked] = [
			bench.service.requests.find(({ method }) => method === 'PUT')?.body as Exchange['requestBody'],
			recording.exchanges.find(({ method }) => method === 'PUT')?.requestBody,
		];
		expect({ ...sent, properties: { ...sent.properties, authMode: 'aadToken' } }).toEqual({
			...asked,
			location: 'westeurope',
		});
	});
});
