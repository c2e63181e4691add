// The deploy step of online endpoints against what the service really answered: the recorded answers are played back, and
// what is asked for is compared with what Microsoft's client asked.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { deployOnline } from '../../src/endpoint/deploy.ts';
import type { DeployRequest } from '../../src/endpoint/deploy-plan.ts';
import { invokeOnline } from '../../src/endpoint/invoke.ts';
import { readOnlineDeployment } from '../../src/endpoint/online-deployment-file.ts';
import { deleteEndpoint, findEndpoint } from '../../src/endpoint/online-endpoint.ts';
import { readOnlineEndpoint } from '../../src/endpoint/online-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';
import { type Bench, startBench } from './online-service.ts';
import { describeRecorded, type Exchange, Recording } from './recorded-service.ts';

let bench: Bench;
beforeEach(async () => {
	bench = await startBench();
});
afterEach(() => bench.stop());

const ENDPOINT = /\/onlineEndpoints\/([^/?]+)/;
const DEPLOYMENT = /\/deployments\/([^/?]+)/;

/** The body of the first PUT here to a path like this. */
function sent(like: RegExp): Exchange['requestBody'] {
	const found = bench.service.requests.find(({ method, path }) => method === 'PUT' && like.test(path));
	return found?.body as Exchange['requestBody'];
}

/** An endpoint file that says what a recorded body says. The client's own tests made theirs in code. */
function endpointFile({ tags, properties }: Exchange['requestBody']): DeployRequest['endpoint'] {
	const auth = { Key: 'key', AMLToken: 'aml_token' }[String(properties['authMode'])];
	const lines = [`auth_mode: ${auth}`, `description: ${properties['description']}`, `tags: ${JSON.stringify(tags)}`];
	return { file: readOnlineEndpoint(loadYaml(lines.join('\n'), 'endpoint.yml', '/')) };
}

const REST = { traffic: [], onFailure: 'rollback', deletePrevious: false, tags: {} } as const;

describeRecorded('the recorded service', () => {
	test('takes an endpoint, gives a token for it, and deletes it', async () => {
		const recording = Recording.play('online/endpoint-create-token-delete-2025', bench.service);
		const name = recording.nameIn(ENDPOINT);
		const asked = recording.put(ENDPOINT);
		const endpoint = { ...endpointFile(asked), name };
		const result = await deployOnline({ ...REST, endpoint, deployment: {} }, bench.parts);
		expect(result).toMatchObject({ endpointName: name, created: { endpoint: true } });
		expect(sent(ENDPOINT)).toEqual({ ...asked, location: 'westeurope' });
		// Nothing of the recording scores: the token is what is looked at.
		const found = await findEndpoint(name, bench.parts);
		if (found === undefined) throw new Error('the endpoint is not there');
		await expect(invokeOnline(found, { body: '{}' }, bench.parts)).rejects.toMatchObject({ status: 404 });
		expect(bench.masked).toEqual(['Sanitized']);
		expect(await deleteEndpoint(bench.parts.workspace, name, bench.parts)).toBe(true);
		const scoring = /^POST \/[\w.-]+\.inference\.ml\.azure\.com\/score$/;
		expect(recording.writes(bench.service).filter((line) => !scoring.test(line))).toEqual(
			recording.recordedWrites(/onlineEndpoints/),
		);
	});

	test('brings up a deployment of an MLflow model, of which a hundred looks at its operation are awaited', async () => {
		const recording = Recording.play('online/deployment-skip-script-validation', bench.service);
		const [name, deployment] = [recording.nameIn(ENDPOINT), recording.nameIn(DEPLOYMENT)];
		const endpoint = { ...endpointFile(recording.put(ENDPOINT)), name };
		const asked = recording.put(DEPLOYMENT);
		const file = `name: ${deployment}\nendpoint_name: ${name}\nmodel: azureml:test-model:4\ninstance_type: Standard_F4s_v2\ninstance_count: 1\n`;
		const request: DeployRequest = {
			...REST,
			endpoint,
			deployment: { file: readOnlineDeployment(loadYaml(file, 'deployment.yml', '/')) },
			model: { name: 'test-model', version: '4', id: String(asked.properties['model']), type: 'mlflow_model' },
		};
		expect(await deployOnline(request, bench.parts)).toMatchObject({ deploymentName: deployment });
		// `private_network_connection` is left out, as Azure has retired it.
		const { privateNetworkConnection: _, ...properties } = asked.properties;
		expect(sent(DEPLOYMENT)).toEqual({ ...asked, location: 'westeurope', properties });
		// The client's test did not wait for the end of its deletion.
		const written = recording.recordedWrites(/onlineEndpoints/).filter((line) => !line.startsWith('DELETE'));
		expect(recording.writes(bench.service)).toEqual(written);
	});
});
