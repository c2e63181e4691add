// One step of a pipeline as a child run: reused, or run by its type as a command, a sweep, mini-batches or a pipeline.

import { randomBytes, randomUUID } from 'node:crypto';
import { type Json, objectOf, textOf } from '../../arm/call.ts';
import { assetReference, References } from '../../arm/references.ts';
import type { Distribution } from '../../execution.ts';
import type { Run } from '../../runs.ts';
import { startCommand } from '../command.ts';
import { distributionOf } from '../distribution.ts';
import { enterState, type JobScope, type LiveJob, runOf } from '../live-job.ts';
import { artifactsOutput, defaultOutputUri, type NamedOutput, takeOutputs } from '../outputs.ts';
import { sweepPlan } from '../sweep/plan.ts';
import { SearchSpaceError } from '../sweep/search-space.ts';
import { startSweep } from '../sweep/sweep.ts';
import { type Component, componentOf, StepError } from './component.ts';
import { GraphError, type PipelineNode, readGraph } from './graph.ts';
import { parallelCommand } from './parallel.ts';
import { defaultsOf, type PipelinePlan } from './plan.ts';
import { type BoundInputs, bindInputs, type PlannedOutput, planOutputs } from './ports.ts';
import { contentHash, earlierRun } from './reuse.ts';

/** A step that was started. */
export interface StartedStep {
	runId: string;
	nodeId: string;
	isReused: boolean;
	live: LiveJob;
}

/** How a pipeline inside a pipeline is started; given from outside, as pipelines and their steps contain one another. */
export type StartPipeline = (scope: JobScope, plan: PipelinePlan) => LiveJob;

/** What a step is started with. `sources` gives the completed run of another node of the pipeline. */
export interface StepStart {
	plan: PipelinePlan;
	node: PipelineNode;
	sources: (job: string) => Run | undefined;
	startPipeline: StartPipeline;
}

/** What of a node has no part in what its step gives. */
const INDIFFERENT =
	/^(name|display_name|description|tags|comment|type|inputs|outputs|computeId|componentId|trial|_source|services|identity|queue_settings|resources)$/;

/** Makes the run of a step and starts it. A step that cannot be started fails, and says why. */
export function startStep(scope: JobScope, start: StepStart): StartedStep {
	const { plan, node } = start;
	const runId = randomUUID();
	const nodeId = randomBytes(4).toString('hex');
	const root = runOf(scope, plan.runId);
	const displayName = textOf(node.body['display_name']) ?? node.name;
	scope.platform.state.runs.create({
		runId,
		experimentName: root.experimentName,
		displayName,
		status: 'NotStarted',
		runType: 'azureml.StepRun',
		parentRunId: plan.runId,
		tags: { 'azureml.nodeid': nodeId, 'azureml.pipeline': plan.runId, 'azureml.pipelinerunid': plan.runId },
		properties: {
			'azureml.runsource': 'azureml.StepRun',
			'azureml.nodeid': nodeId,
			'azureml.pipelinerunid': plan.runId,
			'azureml.pipeline': plan.runId,
			'azureml.rootpipelinerunid': root.rootRunId,
			'azureml.moduleName': node.name,
			'_azureml.ComputeTargetType': 'amlctrain',
		},
	});
	try {
		const live = new Step(scope, start, runId).begin();
		return { runId, nodeId, isReused: live === undefined, live: live ?? OVER };
	} catch (error) {
		const isKnown = error instanceof StepError || error instanceof GraphError || error instanceof SearchSpaceError;
		const message = error instanceof Error ? error.message : String(error);
		enterState(scope, runId, 'Failed', { code: isKnown ? 'UserError' : 'ServiceError', message });
		return { runId, nodeId, isReused: false, live: OVER };
	}
}

const OVER: LiveJob = { done: Promise.resolve(), cancel: () => {} };

class Step {
	readonly #scope: JobScope;
	readonly #start: StepStart;
	readonly #runId: string;
	readonly #references: References;

	constructor(scope: JobScope, start: StepStart, runId: string) {
		this.#scope = scope;
		this.#start = start;
		this.#runId = runId;
		this.#references = new References(scope.platform, scope.call.names['workspace'] ?? '');
	}

	/** Starts the step; gives nothing when it is over at once because an earlier one did the same. */
	begin(): LiveJob | undefined {
		const { plan, node, sources } = this.#start;
		const component = this.#component();
		const bound = bindInputs(component, node, plan, sources);
		const outputs = planOutputs(component, node, plan);
		this.#note({ 'azureml.moduleName': component.name, 'azureml.moduleid': component.id.split('/').pop() ?? '' });
		if (node.type === 'pipeline') return this.#pipeline(component, bound, outputs);
		if (this.#reuse(component, bound, outputs)) return undefined;
		if (node.type === 'sweep') return this.#sweep(component, bound, outputs);
		return this.#command(component, bound, outputs);
	}

	#component(): Component {
		const { node } = this.#start;
		if (!/^(command|parallel|sweep|pipeline)$/.test(node.type)) {
			throw new StepError(
				`Steps of type ${node.type} are not emulated (${node.name}): the emulator runs command, sweep, parallel and pipeline steps.`,
			);
		}
		if (node.componentId === undefined) throw new StepError(`The job ${node.name} has no component. Give it one.`);
		return componentOf(this.#references, node.componentId);
	}

	/** Takes the outputs of an earlier step with the same content, where the pipeline and the component allow it. */
	#reuse(component: Component, { inputs }: BoundInputs, outputs: Record<string, PlannedOutput>): boolean {
		const { plan, node } = this.#start;
		const { runs } = this.#scope.platform.state;
		const settings = Object.fromEntries(Object.entries(node.body).filter(([name]) => !INDIFFERENT.test(name)));
		const environmentVariables = objectOf(node.body['environment_variables']);
		const hash = contentHash(this.#references, { component, inputs, outputs, environmentVariables, settings });
		runs.update(this.#runId, (run) => {
			run.contentHash = hash;
		});
		if (plan.settings.forceRerun || !component.isDeterministic) return false;
		const earlier = earlierRun(runs, hash);
		if (!earlier) return false;
		this.#note({
			'azureml.isreused': 'true',
			'azureml.reusedrunid': earlier.runId,
			'azureml.reusednodeid': earlier.properties['azureml.nodeid'] ?? '',
			'azureml.reusedpipeline': earlier.parentRunId ?? '',
			'azureml.reusedpipelinerunid': earlier.parentRunId ?? '',
		});
		takeOutputs(this.#scope, this.#runId, earlier);
		enterState(this.#scope, this.#runId, 'Running');
		enterState(this.#scope, this.#runId, 'Completed');
		return true;
	}

	#command(component: Component, bound: BoundInputs, outputs: Record<string, PlannedOutput>): LiveJob {
		const { node } = this.#start;
		const isParallel = node.type === 'parallel';
		const spec = { ...component.spec, ...defined(node.body) };
		const { command, codeUri } = isParallel ? parallelCommand(spec) : this.#commandOf(component);
		this.#checkEnvironment(isParallel ? objectOf(spec['task'])['environment'] : component.spec['environment']);
		if (!isParallel) this.#note({ StepType: 'PythonScriptStep' });
		const timeout = duration(objectOf(node.body['limits'])['timeout'] ?? objectOf(component.spec['limits'])['timeout']);
		return startCommand(this.#scope, {
			name: this.#runId,
			command,
			...(codeUri === undefined ? {} : { codeUri }),
			...bound,
			outputs: { ...this.#placed(outputs), default: artifactsOutput(this.#runId) },
			environmentVariables: this.#environmentVariables(component),
			...(timeout === undefined ? {} : { timeout }),
			// The driver of a parallel step starts its processes itself.
			...(isParallel ? {} : this.#distributed(component)),
		});
	}

	#sweep(component: Component, bound: BoundInputs, outputs: Record<string, PlannedOutput>): LiveJob {
		const { node, plan } = this.#start;
		const { sampling_algorithm: sampling, search_space: searchSpace } = node.body;
		const live = startSweep(this.#scope, {
			...sweepPlan(this.#runId, {
				searchSpace,
				sampling: typeof sampling === 'string' ? { type: sampling } : objectOf(sampling),
				objective: objectOf(node.body['objective']),
				limits: objectOf(node.body['limits']),
				earlyTermination: objectOf(node.body['early_termination']),
			}),
			...this.#commandOf(component),
			...bound,
			environmentVariables: this.#environmentVariables(component),
			...this.#distributed(component),
			outputs,
			datastore: plan.settings.datastore,
		});
		// The outputs of a sweep are those of its best trial.
		const done = live.done.then(() => {
			const { runs } = this.#scope.platform.state;
			const best = runs.get(runs.get(this.#runId)?.properties['best_child_run_id'] ?? '');
			if (best) takeOutputs(this.#scope, this.#runId, best);
		});
		return { done, cancel: live.cancel };
	}

	#pipeline(component: Component, bound: BoundInputs, outputs: Record<string, PlannedOutput>): LiveJob {
		const { node, plan, startPipeline } = this.#start;
		return startPipeline(this.#scope, {
			runId: this.#runId,
			path: `${plan.path}/${node.name}`,
			nodes: readGraph(objectOf(component.spec['jobs'])),
			inputs: { ...defaultsOf(component), ...bound.inputs },
			outputs,
			settings: plan.settings,
			mayBeEmpty: bound.mayBeEmpty,
		});
	}

	#commandOf({ spec, name }: Component): { command: string; codeUri?: string } {
		const command = textOf(spec['command']);
		if (command === undefined) throw new StepError(`The component ${name} has no command.`);
		const codeUri = textOf(spec['code']);
		return { command, ...(codeUri === undefined ? {} : { codeUri }) };
	}

	/** The node has the last word on both. */
	#distributed({ spec }: Component): { distribution?: Distribution } {
		const { body } = this.#start.node;
		const distribution = distributionOf(
			body['distribution'] ?? spec['distribution'],
			body['resources'] ?? spec['resources'],
		);
		return distribution === undefined ? {} : { distribution };
	}

	#checkEnvironment(id: unknown): void {
		const reference = assetReference(textOf(id) ?? '');
		if (!reference || this.#references.asset(textOf(id) ?? '')) return;
		throw new StepError(`The environment ${reference.name}:${reference.version} does not exist. Create it first.`);
	}

	#environmentVariables(component: Component): Record<string, string> {
		const { node } = this.#start;
		const all = {
			...objectOf(component.spec['environment_variables']),
			...objectOf(node.body['environment_variables']),
		};
		return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)]));
	}

	#placed(outputs: Record<string, PlannedOutput>): Record<string, NamedOutput> {
		const { datastore } = this.#start.plan.settings;
		const entries = Object.entries(outputs).map(([name, output]): [string, NamedOutput] => {
			const uri = output.uri?.replace(/\$\{\{\s*name\s*\}\}/g, this.#runId);
			return [name, { ...output, uri: uri ?? defaultOutputUri(this.#runId, name, output.jobOutputType, datastore) }];
		});
		return Object.fromEntries(entries);
	}

	#note(properties: Record<string, string>): void {
		this.#scope.platform.state.runs.update(this.#runId, (run) => void Object.assign(run.properties, properties));
	}
}

function defined(body: Json): Json {
	return Object.fromEntries(Object.entries(body).filter(([, value]) => value != null));
}

/** A node has an ISO 8601 duration or a number of seconds. */
function duration(given: unknown): string | undefined {
	if (given == null) return undefined;
	const seconds = Number(given);
	return Number.isFinite(seconds) ? `PT${seconds}S` : String(given);
}
