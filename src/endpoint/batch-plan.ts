// What a request to deploy to a batch endpoint means, before anything is sent: what cannot be asked of one, dependencies,
// bodies. Pure; batch-deploy.ts sends.
import type { Dependency, IdOf } from '../asset/dependency.ts';
import type { Fault } from '../errors.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import { type BatchDeploymentFile, batchDeploymentBody } from './batch-deployment-file.ts';
import { type BatchEndpointFile, batchEndpointBody } from './batch-file.ts';
import { dependenciesToPublish, type ModelToDeploy, modelById } from './deploy-plan.ts';
import type { EndpointContext } from './deployment-parts.ts';
import type { EndpointWish } from './online-endpoint.ts';
import type { TrafficStep } from './traffic.ts';

/** What to deploy to which batch endpoint. Names and numbers given here go before what the files say. */
export interface BatchDeployRequest {
	readonly endpoint: { readonly file?: BatchEndpointFile | undefined; readonly name?: string | undefined };
	/** Without its file only the endpoint is made, or brought up to date. */
	readonly deployment: {
		readonly file?: BatchDeploymentFile | undefined;
		readonly name?: string | undefined;
		readonly instanceCount?: number | undefined;
	};
	/** Takes the place of the file's `model`. */
	readonly model?: ModelToDeploy | undefined;
	/** Whether the deployment becomes the endpoint's default one after it has come up and been tested. */
	readonly makeDefault: boolean;
	readonly smokeTest?: BatchSmokeTest | undefined;
	readonly onFailure: 'rollback' | 'keep';
	/** Delete the deployment that was the default one before. */
	readonly deletePrevious: boolean;
	/** For the deployment, and for the endpoint if it is made; a file's own tags go before them. */
	readonly tags: Readonly<Record<string, string>>;
}

/** A scoring job that the new deployment must do well. */
export interface BatchSmokeTest {
	/** JSON text of the request that starts the job. */
	readonly body: string;
}

/** The inputs that mean something else, or nothing, for a batch endpoint. */
export interface BatchInputs {
	/** Whether there is a deployment file, and what sort it turned out to be if it could be read. */
	readonly deploymentFile: boolean;
	readonly deploymentType: BatchDeploymentFile['type'] | undefined;
	readonly deploymentName: string | undefined;
	readonly instanceType: string | undefined;
	readonly instanceCount: number | undefined;
	readonly traffic: readonly TrafficStep[];
	readonly smokeTest: { readonly body: string; readonly expect: unknown } | undefined;
	/** Whether the run has a model to deploy. */
	readonly model: boolean;
}

/** What is wrong with the inputs of a run that deploys to a batch endpoint. */
export function batchInputFaults(inputs: BatchInputs): readonly Fault[] {
	const { deploymentFile, deploymentType, instanceType, instanceCount, deploymentName, smokeTest, traffic } = inputs;
	const faults: string[] = [];
	if (makesDefault(traffic) === undefined) {
		faults.push(
			`traffic: a batch endpoint has no shares but one default deployment; expected \`100\` (make the new deployment the default one when it is ready) or \`0\` (do not), got ${shownTraffic(traffic)}.`,
		);
	}
	if (instanceType !== undefined) {
		faults.push('instance-type: a batch deployment runs on the `compute` that its file names; remove the input.');
	}
	if (instanceCount !== undefined && deploymentType === 'pipeline') {
		faults.push('instance-count: the steps of a pipeline component have their own; remove the input.');
	}
	if (smokeTest?.expect !== undefined) {
		faults.push('smoke-test-expect: a batch deployment answers with a job; its success is the test. Remove the input.');
	}
	if (smokeTest !== undefined && invocationBody(smokeTest.body) === undefined) {
		faults.push(
			'smoke-test-file: expected a JSON object that starts a batch job, such as {"properties":{"inputData":{"data":{"jobInputType":"UriFolder","uri":"…"}}}}.',
		);
	}
	if (!deploymentFile) {
		const asked = { 'deployment-name': deploymentName, 'instance-count': instanceCount, 'smoke-test-file': smokeTest };
		const [first] = Object.entries(asked).filter(([, value]) => value !== undefined);
		if (first !== undefined || inputs.model) {
			faults.push(
				`${first?.[0] ?? 'deployment-file'}: a batch deployment needs \`deployment-file\`, at least with the \`compute\` that it runs on. Give it, or ask for the endpoint alone.`,
			);
		}
	}
	return faults.map((message) => ({ message }));
}

function shownTraffic(steps: readonly TrafficStep[]): string {
	const shown = steps.map(({ percent, hold }) => (hold === 0 ? `${percent}` : `${percent} for ${hold / 1000}s`));
	return `\`${shown.join(', ')}\``;
}

/** What `traffic` says of a batch deployment: 100 makes it the default one, 0 does not, anything else says nothing. */
export function makesDefault(steps: readonly TrafficStep[]): boolean | undefined {
	const [step, ...others] = steps;
	if (step === undefined || others.length > 0 || step.hold > 0) return undefined;
	return step.percent === 100 ? true : step.percent === 0 ? false : undefined;
}

/** The JSON text that starts a scoring job: `properties` is put around a request that has none. Undefined where it is no object. */
export function invocationBody(text: string): string | undefined {
	const body = parseJson(text);
	if (!isObject(body)) return undefined;
	// As text, so that no number of the file is rounded.
	return Object.hasOwn(body, 'properties') ? text : `{"properties":${text}}`;
}

/** What must be published, or be there already, before the deployment's body can be made. */
export function batchDependencies({ deployment: { file }, model }: BatchDeployRequest): readonly Dependency[] {
	const compute = file?.compute;
	return [
		...dependenciesToPublish({ deployment: { file }, model }),
		...(compute === undefined ? [] : [{ need: 'reference' as const, reference: compute }]),
	];
}

/** What the endpoint should be. Which deployment is the default one is never part of that: only a rollout switches it. */
export function batchEndpointWish(
	{ endpoint: { file }, tags }: BatchDeployRequest,
	context: Pick<EndpointContext, 'location'>,
): EndpointWish {
	const own = Object.fromEntries(file?.tags ?? []);
	const base: JsonObject =
		file === undefined
			? { location: context.location, properties: { authMode: 'AADToken', properties: {} } }
			: batchEndpointBody({ ...file, defaultDeployment: undefined }, context);
	return {
		body: { ...base, tags: { ...tags, ...own } },
		authMode: undefined,
		tags: own,
		description: file?.description,
		identity: file?.identity === undefined ? undefined : (base['identity'] as JsonObject),
		publicNetworkAccess: undefined,
	};
}

/** The body of the deployment's PUT. */
export function batchBody(
	{ deployment: { instanceCount }, model, tags }: BatchDeployRequest,
	file: BatchDeploymentFile,
	context: EndpointContext,
): JsonObject {
	// A pipeline component has its models inside.
	const given = file.type === 'model' ? model : undefined;
	const own = given === undefined ? file.model : modelById(given.id, file);
	const idOf: IdOf = (dependency) => (given !== undefined && dependency === own ? given.id : context.idOf(dependency));
	const resources =
		instanceCount === undefined
			? file.resources
			: { properties: {}, instanceType: undefined, ...file.resources, instanceCount };
	const body: JsonObject = batchDeploymentBody({ ...file, model: own, resources }, { ...context, idOf });
	return { ...body, tags: { ...tags, ...Object.fromEntries(file.tags) } };
}
