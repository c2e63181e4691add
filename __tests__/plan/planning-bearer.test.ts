import { expect, test } from '@jest/globals';
import type { HttpRequest } from '../../src/azure/http.ts';
import { OFFLINE_ARM } from '../../src/plan/offline.ts';
import { Plan } from '../../src/plan/plan.ts';
import { createPlanningArm } from '../../src/plan/planning-arm.ts';
import { createPlanningBearer } from '../../src/plan/planning-bearer.ts';

const REGISTRY = '/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/shared';

function planning() {
	const plan = new Plan();
	const arm = createPlanningArm(OFFLINE_ARM, plan);
	const sent: HttpRequest[] = [];
	const base = {
		send: async (request: HttpRequest) => {
			sent.push(request);
			return { status: 200, headers: {}, body: Buffer.from('{"read":true}') };
		},
	};
	return { plan, arm, sent, bearer: createPlanningBearer(base, plan, arm) };
}

test('what reads goes through', async () => {
	const { plan, sent, bearer } = planning();
	const answer = await bearer.send({ method: 'GET', url: 'https://services.example/discovery' });
	expect([answer.body.toString(), sent.length, plan.requests]).toEqual(['{"read":true}', 1, []]);
});

test('an import into a registry is planned, and what it brings about is there', async () => {
	const { plan, arm, sent, bearer } = planning();
	const body = { properties: { destinationName: 'iris', destinationVersion: '2' } };
	const url = `https://front.example/mferp/managementfrontend${REGISTRY}/import?api-version=1`;
	expect(await bearer.send({ method: 'POST', url, body: JSON.stringify(body) })).toMatchObject({ status: 200 });
	expect(sent).toEqual([]);
	expect(plan.requests).toEqual([{ method: 'POST', path: `${REGISTRY}/import?api-version=1`, body, undecided: [] }]);
	const found = await arm.find(`${REGISTRY}/models/iris/versions/2`, { doing: 'look' });
	expect(found).toMatchObject({ properties: { provisioningState: 'Succeeded' } });
});

test('what no form is decided for is not sent either', async () => {
	const { sent, bearer } = planning();
	await expect(bearer.send({ method: 'PATCH', url: 'https://services.example/x' })).rejects.toThrow('PATCH');
	expect(sent).toEqual([]);
});
