// Jobs as Resource Manager sees them: put, read, listed, cancelled, deleted. What a job does is in jobs/, what is kept
// of its body in job-bodies.ts.

import { armError, LOCATION, serviceError } from '../errors.ts';
import { checkPipeline } from '../jobs/pipeline/plan.ts';
import { checkSweep } from '../jobs/sweep/plan.ts';
import { isTerminal } from '../runs.ts';
import type { Answer } from '../server.ts';
import type { Resource } from '../state.ts';
import {
	type ArmCall,
	checkName,
	found,
	inView,
	type Json,
	keyOf,
	makeResource,
	objectOf,
	page,
	propertiesOf,
	standard,
	stored,
	textOf,
} from './call.ts';
import type { ArmRoutes } from './face.ts';
import { keptJob, withModes } from './job-bodies.ts';
import { checkReferences } from './job-references.ts';
import type { JobRunner } from './job-runner.ts';
import { checkBody } from './schemas.ts';
import { workspaceOf } from './workspaces.ts';

/** Adds the routes of jobs. */
export function routeJobs(routes: ArmRoutes, runner: JobRunner): void {
	routes
		.workspace('GET', '/jobs', list)
		.workspace('GET', '/jobs/{name}', get)
		.workspace('PUT', '/jobs/{name}', (call) => put(call, runner))
		.workspace('DELETE', '/jobs/{name}', (call) => remove(call, runner))
		.workspace('POST', '/jobs/{name}/cancel', (call) => cancel(call, runner));
}

function get(call: ArmCall): Answer {
	const name = call.names['name'] ?? '';
	const run = call.platform.state.runs.get(name);
	if (call.platform.state.resources.get(keyOf(call, 'jobs', name)) || run?.runType !== 'azureml.StepRun') {
		return found(current(call, jobOf(call)));
	}
	// A step of a pipeline is known to run history alone: Resource Manager gives it without properties.
	const { id, type } = makeResource(call, ['jobs', name], {});
	return { status: 200, headers: standard, json: { id, name, type, properties: null, systemData: null } };
}

function jobOf(call: ArmCall): Resource {
	const name = call.names['name'] ?? '';
	const job = call.platform.state.resources.get(keyOf(call, 'jobs', name));
	if (job) return job;
	throw serviceError(404, 'UserError', `Job ${name} not found.`, { inner: ['NotFound', 'JobNotFound'] });
}

/** Brings the parts of a job up to date that its run knows better. */
function current(call: ArmCall, job: Resource): Resource {
	const run = call.platform.state.runs.get(job.name);
	if (!run) return job;
	const properties = { ...objectOf(job.properties['properties']), ...run.properties };
	const ofSystem = Object.entries(run.tags).filter(([name]) => name.startsWith('_aml_system_'));
	const tags = { ...objectOf(job.properties['tags']), ...Object.fromEntries(ofSystem) };
	// In what is shown only: the jobs of a pipeline take the mode of their own port where it names none.
	const inputs = withModes(objectOf(job.properties['inputs']));
	return { ...job, properties: { ...job.properties, tags, inputs, status: run.status, properties } };
}

function list(call: ArmCall): Answer {
	const [jobType, tag] = [call.query.get('jobType'), call.query.get('tag')];
	const wanted = objectFilter(call.query.get('properties'));
	const jobs = inView(call, call.platform.state.resources.list(keyOf(call, 'jobs')))
		// Trials of a sweep are listed by run history, as its children.
		.filter((job) => job.secret?.['parent'] === undefined)
		.filter((job) => jobType === null || job.properties['jobType'] === jobType)
		.filter((job) => tag === null || hasTag(objectOf(job.properties['tags']), tag))
		.filter((job) => has(objectOf(job.properties['properties']), wanted))
		.reverse();
	// A page is small here, so that a client cannot do without `nextLink`.
	return page(
		call,
		jobs.map((job) => current(call, job)),
		10,
	);
}

/** A tag is asked for by its name, or by name and value with an equals sign between them. */
function hasTag(tags: Json, tag: string): boolean {
	const at = tag.indexOf('=');
	return at < 0 ? tag in tags : tags[tag.slice(0, at)] === tag.slice(at + 1);
}

function objectFilter(text: string | null): Json {
	if (text === null) return {};
	return Object.fromEntries(
		text.split(',').map((pair) => [pair.split('=')[0] ?? '', pair.split('=').slice(1).join('=')]),
	);
}

function has(properties: Json, wanted: Json): boolean {
	return Object.entries(wanted).every(([name, value]) => properties[name] === value);
}

function put(call: ArmCall, runner: JobRunner): Answer {
	const name = call.names['name'] ?? '';
	checkName('job', name);
	checkBody('jobs', call.body);
	const given = propertiesOf(call.body);
	const key = keyOf(call, 'jobs', name);
	const before = call.platform.state.resources.get(key);
	if (before) return update(call, before, given);
	checkReferences(call, given);
	checkParts(call, given);
	const job = makeResource(call, ['jobs', name], keptJob(call, name, given));
	call.platform.state.resources.put(key, job);
	runner.start(call, job);
	return stored(call, current(call, job), true);
}

/** Refuses what a schema cannot: bindings of a pipeline and the search space of a sweep. */
function checkParts(call: ArmCall, given: Json): void {
	if (given['jobType'] === 'Pipeline') checkPipeline(call, given);
	if (given['jobType'] !== 'Sweep') return;
	const parts = ['samplingAlgorithm', 'objective', 'limits', 'earlyTermination'].map((name) => objectOf(given[name]));
	const [sampling = {}, objective = {}, limits = {}, earlyTermination = {}] = parts;
	checkSweep({ searchSpace: given['searchSpace'], sampling, objective, limits, earlyTermination });
}

/** Only words about a job may change; the rest of a second PUT is passed over, as a retried PUT must be harmless. */
function update(call: ArmCall, job: Resource, given: Json): Answer {
	const { tags, displayName, description, isArchived } = given;
	const changes = Object.entries({ tags, displayName, description, isArchived }).filter(([, value]) => value != null);
	Object.assign(job.properties, Object.fromEntries(changes));
	const added = objectOf(given['properties']);
	job.properties['properties'] = { ...added, ...objectOf(job.properties['properties']) };
	Object.assign(job, { systemData: makeResource(call, ['jobs', job.name], {}).systemData });
	const { runs } = call.platform.state;
	if (!runs.get(job.name)) return stored(call, job, false);
	runs.update(job.name, (run) => {
		Object.assign(run.tags, objectOf(tags));
		run.displayName = textOf(displayName) ?? run.displayName;
	});
	call.platform.state.resources.touch();
	return stored(call, current(call, job), false);
}

function cancel(call: ArmCall, runner: JobRunner): Answer {
	const job = current(call, jobOf(call));
	const status = String(job.properties['status']);
	const isPipeline = job.properties['jobType'] === 'Pipeline';
	if (isTerminal(status)) {
		if (!isPipeline) return { status: 200, headers: standard };
		throw serviceError(400, 'UserError', `Pipeline run ${job.name} is in terminal status, it can't be canceled`, {
			inner: ['BadArgument', 'ArgumentInvalid', 'CancelPipelineRunInTerminalStatus'],
		});
	}
	runner.cancel(job.name);
	const location = `${call.platform.origins.arm}/subscriptions/${call.names['subscription']}/providers/Microsoft.MachineLearningServices/locations/${LOCATION}/mfeOperationResults/jc:${workspaceOf(call).properties['workspaceId']}:${job.name}?api-version=${call.apiVersion}`;
	return {
		status: 202,
		headers: { ...standard, Location: location, 'x-ms-async-operation-timeout': 'PT1H' },
		json: null,
	};
}

/** The end of a cancel request: 202 while the job still lives, then 200 without a body. */
export function cancelResult(call: ArmCall): Answer {
	const name = (call.names['operation'] ?? '').split(':').slice(2).join(':');
	const run = call.platform.state.runs.get(name);
	if (!run) throw armError(404, 'NotFound', `There is no operation ${call.names['operation']}.`);
	if (isTerminal(run.status)) return { status: 200, headers: standard };
	return { status: 202, headers: { ...standard, Location: call.url }, json: {} };
}

async function remove(call: ArmCall, runner: JobRunner): Promise<Answer> {
	const key = keyOf(call, 'jobs', call.names['name'] ?? '');
	const job = call.platform.state.resources.get(key);
	if (!job) return { status: 204, headers: standard };
	await runner.remove(call, job.name);
	call.platform.state.resources.remove(key);
	return { status: 200, headers: standard };
}
