// Requests with a token that go past the resource manager: what only reads goes through, all else goes into the plan.
import type { BearerHttp } from '../azure/bearer.ts';
import { objectAt, parseJson, textAt } from '../json.ts';
import type { Plan } from './plan.ts';
import type { PlanningArm } from './planning-arm.ts';

const READING = new Set(['GET', 'HEAD']);
const PLANNED = new Set(['PUT', 'POST', 'DELETE']);

/** Puts a plan between its callers and the services. What is imported into a registry is there for `arm` afterwards. */
export function createPlanningBearer(base: BearerHttp, plan: Plan, arm: Pick<PlanningArm, 'expect'>): BearerHttp {
	return {
		async send(request, scope) {
			const { method, url, body = '' } = request;
			if (READING.has(method)) return base.send(request, scope);
			if (!PLANNED.has(method)) throw new Error(`no form is decided for a planned ${method}`);
			const { pathname, search } = new URL(url);
			const path = pathname.replace(/^.*?(?=\/subscriptions\/)/, '');
			const sent = parseJson(Buffer.from(body).toString());
			const planned = method === 'PUT' || method === 'POST' ? method : 'DELETE';
			plan.add({ method: planned, path: `${path}${search}`, body: sent === undefined ? null : objectAt(sent) });
			const registry = /^(.*\/registries\/[^/]+)\/import$/.exec(path)?.[1];
			const [name, version] = ['destinationName', 'destinationVersion'].map((key) => textAt(sent, 'properties', key));
			if (registry !== undefined && name !== undefined && version !== undefined)
				arm.expect(`${registry}/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`);
			return { status: 200, headers: {}, body: Buffer.alloc(0) };
		},
	};
}
