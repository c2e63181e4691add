// What a request to deploy means, before anything is sent: names, dependencies, bodies. Pure; deploy.ts sends.
import type { Dependency, IdOf } from '../asset/dependency.ts';
import { ActionError } from '../errors.ts';
import { type Json, type JsonObject, textAt } from '../json.ts';
import type { DeploymentFacts, EndpointContext } from './deployment-parts.ts';
import { deploymentNamed } from './online-deployment.ts';
import { type OnlineDeploymentFile, onlineDeploymentBody } from './online-deployment-file.ts';
import type { EndpointWish, OnlineEndpoint } from './online-endpoint.ts';
import { type OnlineEndpointFile, onlineEndpointBody } from './online-file.ts';
import type { SmokeTest } from './rollout.ts';
import { shareOf, type TrafficStep, trafficText } from './traffic.ts';

/** The model version that this run registered, or was told to take. */
export interface ModelToDeploy {
	readonly name: string;
	readonly version: string;
	/** ARM id of the version, or its `azureml://registries/…` id. */
	readonly id: string;
	/** `mlflow_model`, `custom_model`, `triton_model`, … */
	readonly type: string;
}

/** What to deploy where, and how carefully. Names and numbers given here go before what the files say. */
export interface DeployRequest {
	readonly endpoint: { readonly file?: OnlineEndpointFile | undefined; readonly name?: string | undefined };
	readonly deployment: {
		readonly file?: OnlineDeploymentFile | undefined;
		readonly name?: string | undefined;
		readonly instanceType?: string | undefined;
		readonly instanceCount?: number | undefined;
	};
	/** Takes the place of the file's `model`. */
	readonly model?: ModelToDeploy | undefined;
	readonly traffic: readonly TrafficStep[];
	readonly smokeTest?: SmokeTest | undefined;
	readonly onFailure: 'rollback' | 'keep';
	readonly deletePrevious: boolean;
	/** Which attempt of the workflow run this is; undefined outside of one. */
	readonly attempt?: string | undefined;
	/** For the deployment, and for the endpoint if it is made; a file's own tags go before them. */
	readonly tags: Readonly<Record<string, string>>;
}

/** The instance type of a deployment that has no file to name one. */
const INSTANCE_TYPE = 'Standard_DS3_v2';
const NO_CODE = new Set(['mlflow_model', 'triton_model']);
const SLOTS = ['blue', 'green'] as const;

/** Whether only an endpoint is asked for: its file, and nothing that could be deployed to it. */
export function isEndpointOnly({ endpoint, deployment, model }: DeployRequest): boolean {
	const { file, name, instanceType, instanceCount } = deployment;
	const given = [model, file, name, instanceType, instanceCount].some((one) => one !== undefined);
	return endpoint.file !== undefined && !given;
}

/** The parts of a request that name things, of online and batch alike. */
export interface NamedRequest {
	readonly endpoint: {
		readonly file?: { readonly name: string | undefined } | undefined;
		readonly name?: string | undefined;
	};
	readonly deployment: {
		readonly file?: { readonly name: string | undefined; readonly endpointName: string | undefined } | undefined;
		readonly name?: string | undefined;
	};
}

/**
 * The name of the endpoint that is meant.
 * @throws ActionError where the request names none or two
 */
export function endpointNameOf({ endpoint, deployment }: NamedRequest): string {
	const fromFiles = [endpoint.file?.name, deployment.file?.endpointName].filter((name) => name !== undefined);
	const [name, other] = endpoint.name === undefined ? fromFiles : [endpoint.name];
	if (name === undefined) {
		throw refuse('No endpoint is named.', 'Give `endpoint-name`, or `name` in `endpoint-file`.');
	}
	if (other !== undefined && other !== name) {
		throw refuse(
			`\`endpoint-file\` names the endpoint "${name}" and \`deployment-file\` the endpoint "${other}".`,
			'Make them the same, or give `endpoint-name`.',
		);
	}
	return name;
}

/**
 * The name of the endpoint that is meant.
 * @throws ActionError where the request names none or two, or lacks what a deployment needs
 */
export function checkRequest(request: DeployRequest): string {
	const { deployment, model } = request;
	const name = endpointNameOf(request);
	if (deployment.file !== undefined || isEndpointOnly(request)) return name;
	if (model === undefined) {
		throw refuse(
			'There is neither a model nor a deployment file.',
			'Give `deployment-file`, or `model-name` and `model-version` of a registered MLflow model.',
		);
	}
	if (!NO_CODE.has(model.type)) {
		throw refuse(
			`The model "${model.name}" is a ${model.type}, which cannot be served without a scoring script and an environment.`,
			'Give `deployment-file` with `code_configuration` and `environment`, or register the model in MLflow format.',
		);
	}
	return name;
}

function refuse(why: string, next: string): ActionError {
	return new ActionError({ what: 'This deployment cannot be made.', why, next });
}

/** What must be published before the deployment's body can be made. */
export function dependenciesToPublish({
	deployment: { file },
	model,
}: {
	readonly deployment: { readonly file?: Pick<DeploymentFacts, 'dependencies' | 'model'> | undefined };
	readonly model?: ModelToDeploy | undefined;
}): readonly Dependency[] {
	const all = file?.dependencies ?? [];
	return model === undefined ? all : all.filter((dependency) => dependency !== file?.model);
}

/** The deployment that is meant: the one that is named, or the free one of `blue` and `green`. */
export function chooseDeployment(
	{ deployment }: Pick<NamedRequest, 'deployment'>,
	endpoint: Pick<OnlineEndpoint, 'traffic' | 'mirrorTraffic'>,
	existing: readonly Json[],
): string {
	const named = deployment.name ?? deployment.file?.name;
	if (named !== undefined) return named;
	const exists = (name: string): boolean => deploymentNamed(existing, name) !== undefined;
	const mirrored = (name: string): boolean => (shareOf(endpoint.mirrorTraffic, name) ?? 0) > 0;
	const free = SLOTS.filter((name) => (shareOf(endpoint.traffic, name) ?? 0) === 0);
	// Rather a new one than one that somebody may still look at; a shadow of live traffic last.
	const chosen = free.find((name) => !exists(name)) ?? free.find((name) => !mirrored(name)) ?? free[0];
	if (chosen !== undefined) return chosen;
	throw refuse(
		`No deployment is named, and neither blue nor green is free (${trafficText(endpoint.traffic)}).`,
		'Give `deployment-name`, or take the traffic off one of them.',
	);
}

/** What the endpoint should be; see `EndpointWish`. */
export function endpointWish({ endpoint: { file }, tags }: DeployRequest, context: EndpointContext): EndpointWish {
	if (file === undefined) {
		const properties = { authMode: 'Key', properties: {}, traffic: {}, mirrorTraffic: {} };
		const body = { location: context.location, tags, identity: { type: 'SystemAssigned' }, properties };
		return {
			body,
			authMode: undefined,
			tags: {},
			description: undefined,
			identity: undefined,
			publicNetworkAccess: undefined,
		};
	}
	// Only deployments that exist may have traffic, and a new endpoint has none yet.
	const body: JsonObject = onlineEndpointBody({ ...file, mirrorTraffic: new Map() }, context, new Map());
	const own = Object.fromEntries(file.tags);
	return {
		body: { ...body, tags: { ...tags, ...own } },
		authMode: textAt(body, 'properties', 'authMode'),
		tags: own,
		description: file.description,
		identity: file.identity === undefined ? undefined : (body['identity'] as JsonObject),
		publicNetworkAccess: textAt(body, 'properties', 'publicNetworkAccess'),
	};
}

/** The body of the deployment's PUT. */
export function deploymentBody({ deployment, model, tags }: DeployRequest, context: EndpointContext): JsonObject {
	const { file, instanceType, instanceCount } = deployment;
	if (file === undefined) {
		return {
			location: context.location,
			tags,
			sku: { name: 'Default', capacity: instanceCount ?? 1 },
			properties: {
				endpointComputeType: 'Managed',
				model: model?.id,
				instanceType: instanceType ?? INSTANCE_TYPE,
				environmentVariables: {},
				properties: {},
				appInsightsEnabled: false,
			},
		};
	}
	const own = model === undefined ? file.model : modelById(model.id, file);
	const idOf: IdOf = (dependency) => (model !== undefined && dependency === own ? model.id : context.idOf(dependency));
	// A managed deployment has its number of instances from here only; a Kubernetes one may be scaled by its cluster.
	const count = instanceCount ?? file.instanceCount ?? (file.type === 'managed' ? 1 : undefined);
	const filled = { ...file, model: own, instanceType: instanceType ?? file.instanceType, instanceCount: count };
	const body: JsonObject = onlineDeploymentBody(filled, { ...context, idOf });
	return { ...body, tags: { ...tags, ...Object.fromEntries(file.tags) } };
}

/** A model that exists, in the place of a file's own. */
export function modelById(id: string, { at }: Pick<DeploymentFacts, 'at'>): NonNullable<DeploymentFacts['model']> {
	return { need: 'reference', reference: { form: 'id', kind: 'models', id, at } };
}
