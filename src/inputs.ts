// The only reader of `with:` and of the environment: text in, checked values out. Every fault is found before one is told.
import { readFileSync, statSync } from 'node:fs';
import type { Cloud } from './azure/cloud.ts';
import type { AuthRequest } from './azure/credential.ts';
import type { WorkspaceName } from './azure/workspace.ts';
import { parseTraffic, type TrafficStep } from './endpoint/traffic.ts';
import { InputError } from './errors.ts';
import { type GateInputs, readGate } from './inputs/gate.ts';
import { type JobName, readJobName, readName } from './inputs/names.ts';
import { type InputFile, InputReader, type InputSource } from './inputs/reader.ts';
import { readAuth, readCloud, readIdentity, readTarget } from './inputs/sign-in.ts';
import { type Json, parseJson, textAt } from './json.ts';
import { readRunContext } from './read-run-context.ts';
import type { RunContext } from './run-context.ts';

/** Everything the workflow author asked for. What was not asked for is undefined, never an empty string. */
export interface Inputs {
	readonly run: RunContext;
	readonly cloud: Cloud;
	/** Undefined for a dry run without credentials. */
	readonly auth: AuthRequest | undefined;
	/** Undefined for a dry run without a workspace. */
	readonly target: WorkspaceName | undefined;
	readonly dryRun: boolean;
	readonly allowForkHead: boolean;
	readonly assetFiles: readonly string[];
	readonly train: TrainInputs | undefined;
	readonly gate: GateInputs | undefined;
	readonly register: RegisterInputs | undefined;
	readonly deploy: DeployInputs | undefined;
	/** Name of the endpoint to delete. */
	readonly deleteEndpoint: string | undefined;
	readonly report: ReportInputs;
	/** Texts of the inputs that decide what a job does, by name: the identity of this run's job is made from them. */
	readonly identity: Readonly<Record<string, string>>;
}

export interface TrainInputs extends JobName {
	/** Absent: follow the job `name`. */
	readonly file: InputFile | undefined;
	readonly compute: string | undefined;
	/** `path=value` lines. */
	readonly set: readonly string[];
	readonly wait: boolean;
	readonly cancelSuperseded: boolean;
	readonly reuse: boolean;
	/** Milliseconds. */
	readonly timeout: number | undefined;
	readonly onTimeout: 'cancel' | 'detach';
	readonly onCancel: 'cancel' | 'detach';
	readonly download: readonly string[];
	readonly downloadPath: string;
}

export interface RegisterInputs {
	readonly name: string | undefined;
	readonly version: string | undefined;
	readonly path: string | undefined;
	readonly file: InputFile | undefined;
	readonly tags: Readonly<Record<string, string>>;
	readonly registry: string | undefined;
	/** Nothing is registered: the version that exists is what the deploy step takes. */
	readonly existing: boolean;
}

export interface DeployInputs {
	readonly endpointFile: InputFile | undefined;
	readonly endpointName: string | undefined;
	readonly deploymentFile: InputFile | undefined;
	readonly deploymentName: string | undefined;
	readonly instanceType: string | undefined;
	readonly instanceCount: number | undefined;
	readonly traffic: readonly TrafficStep[];
	readonly smokeTest:
		| { readonly file: InputFile; readonly body: string; readonly expect: Json | undefined }
		| undefined;
	readonly onFailure: 'rollback' | 'keep';
	readonly deletePrevious: boolean;
}

export interface ReportInputs {
	readonly githubToken: string | undefined;
	readonly comment: 'auto' | 'never';
	readonly environment: string | undefined;
}

/**
 * Reads and checks every input. Secrets are masked as they are read.
 * @throws InputError holding all faults at once
 */
export function readInputs(source: InputSource): Inputs {
	const run = readRunContext(source.env);
	const reader = new InputReader(source, run.checkout);
	for (const secret of ['client-secret', 'github-token']) {
		const value = reader.text(secret);
		if (value !== undefined) source.mask(value);
	}
	const dryRun = reader.flag('dry-run');
	const identity = readIdentity(reader, source);
	const cloud = readCloud(reader);
	const auth = readAuth(reader, identity, source.env, { dryRun, fromFork: isFromFork(run) });
	const target = readTarget(reader, identity, dryRun && auth === undefined);
	const train = readTrain(reader);
	const register = readRegister(reader, train);
	const deleteEndpoint = readDeleteEndpoint(reader);
	const deploy = deleteEndpoint === undefined ? readDeploy(reader) : undefined;
	const gate = readGate(reader, train !== undefined);
	const assetFiles = reader.lines('asset-files');
	const deletes = reader.flag('delete-endpoint');
	if (assetFiles.length === 0 && !deletes && [train, register, deploy].every((step) => step === undefined)) {
		reader.fault(
			'No step is asked for: give `job-file` (train), `job-name` (follow a job), `model-name` (register), `endpoint-file` or `endpoint-name` (deploy), or `asset-files`.',
		);
	}
	const report: ReportInputs = {
		githubToken: reader.text('github-token'),
		comment: reader.choice('comment', ['auto', 'never']),
		environment: reader.text('github-environment'),
	};
	const allowForkHead = reader.flag('allow-fork-head');
	if (reader.faults.length > 0 || cloud === undefined) throw new InputError(reader.faults);
	return {
		run,
		cloud,
		auth,
		target,
		dryRun,
		allowForkHead,
		assetFiles,
		train,
		gate,
		register,
		deploy,
		deleteEndpoint,
		report,
		identity: reader.texts(IDENTITY_INPUTS),
	};
}

/** Whether the run is for a pull request from another repository, or from one that is deleted. */
function isFromFork({ eventName, event, repository }: RunContext): boolean {
	if (eventName !== 'pull_request') return false;
	return textAt(event, 'pull_request', 'head', 'repo', 'full_name')?.toLowerCase() !== repository?.toLowerCase();
}

/** The inputs that make two steps of one workflow run different jobs. */
const IDENTITY_INPUTS = [
	'subscription-id',
	'resource-group',
	'workspace',
	'job-file',
	'compute',
	'set',
	'model-name',
	'endpoint-name',
	'deployment-name',
];

const MOST_MINUTES = 60 * 24 * 30;

function readTrain(reader: InputReader): TrainInputs | undefined {
	const file = reader.file('job-file');
	const { name, writtenName } = readJobName(reader);
	const minutes = reader.number('timeout-minutes', { whole: false, most: MOST_MINUTES });
	const set = reader.lines('set');
	for (const line of set) {
		if (line.indexOf('=') < 1) reader.fault(`set: expected \`path.to.field=value\`, got "${line}".`);
	}
	const train: TrainInputs = {
		file,
		name,
		writtenName,
		set,
		compute: reader.text('compute'),
		wait: reader.text('wait') === undefined || reader.flag('wait'),
		cancelSuperseded: reader.flag('cancel-superseded'),
		reuse: reader.flag('reuse'),
		timeout: minutes === undefined ? undefined : minutes * 60_000,
		onTimeout: reader.choice('on-timeout', ['cancel', 'detach']),
		onCancel: reader.choice('on-cancel', ['cancel', 'detach']),
		download: reader.lines('download'),
		downloadPath: reader.text('download-path') ?? './azureml',
	};
	if (file !== undefined) return train;
	for (const other of ['set', 'compute'] as const) {
		if (reader.text(other) !== undefined)
			reader.fault(`${other}: changes what \`job-file\` holds, but there is no job-file.`);
	}
	return reader.text('job-name') === undefined ? undefined : train;
}

function readRegister(reader: InputReader, train: TrainInputs | undefined): RegisterInputs | undefined {
	const name = readName(reader, 'model-name');
	const version = reader.text('model-version');
	const path = reader.text('model-path');
	const file = reader.file('model-file');
	const tags = reader.pairs('model-tags');
	const registry = reader.text('registry');
	if (name === undefined && file === undefined) {
		for (const other of ['model-version', 'model-path', 'model-tags', 'registry']) {
			if (reader.text(other) !== undefined)
				reader.fault(`${other}: says how to register a model, but there is neither \`model-name\` nor \`model-file\`.`);
		}
		return undefined;
	}
	if (registry !== undefined && !/^[a-zA-Z0-9][\w-]{0,63}$/.test(registry)) {
		reader.fault(`registry: expected the name of an Azure ML registry (letters, digits, - and _), got "${registry}".`);
	}
	const existing = train === undefined && path === undefined && file === undefined;
	if (existing && version === undefined) {
		reader.fault(
			'model-name: there is nothing to register (no job, no `model-path`, no `model-file`); to deploy a version that exists give `model-version` too.',
		);
	}
	if (!existing && version === 'latest') {
		reader.fault(
			'model-version: `latest` is a version that exists, but there is something to register (a job, `model-path` or `model-file`); leave it out to get the next version.',
		);
	}
	return { name, version, path, file, tags, registry, existing };
}

function readDeleteEndpoint(reader: InputReader): string | undefined {
	if (!reader.flag('delete-endpoint')) return undefined;
	const name = readName(reader, 'endpoint-name');
	if (name === undefined) reader.fault('delete-endpoint: `endpoint-name` must say which endpoint to delete.');
	return name;
}

function readDeploy(reader: InputReader): DeployInputs | undefined {
	const endpointFile = reader.file('endpoint-file');
	const deploymentFile = reader.file('deployment-file');
	const endpointName = readName(reader, 'endpoint-name');
	const deploymentName = readName(reader, 'deployment-name');
	const file = reader.file('smoke-test-file');
	const expect = readExpectation(reader, file !== undefined);
	const deploy: DeployInputs = {
		endpointFile,
		deploymentFile,
		endpointName,
		deploymentName,
		instanceType: reader.text('instance-type'),
		instanceCount: reader.number('instance-count', { whole: true, most: 1000 }),
		traffic: readTraffic(reader),
		smokeTest: file === undefined ? undefined : { file, body: readSmokeTest(reader, file), expect },
		onFailure: reader.choice('on-deploy-failure', ['rollback', 'keep']),
		deletePrevious: reader.flag('delete-previous'),
	};
	if ([endpointFile, deploymentFile, endpointName].some((given) => given !== undefined)) return deploy;
	for (const other of ['deployment-name', 'instance-type', 'instance-count', 'smoke-test-file']) {
		if (reader.text(other) !== undefined) {
			reader.fault(
				`${other}: says how to deploy, but there is neither \`endpoint-file\`, \`endpoint-name\` nor \`deployment-file\`.`,
			);
		}
	}
	return undefined;
}

function readTraffic(reader: InputReader): readonly TrafficStep[] {
	const parsed = parseTraffic(reader.text('traffic') ?? '100');
	if ('fault' in parsed) {
		reader.fault(`traffic: ${parsed.fault}`);
		return [];
	}
	return parsed.steps;
}

function readSmokeTest(reader: InputReader, file: InputFile): string {
	if (!statSync(file.absolute, { throwIfNoEntry: false })?.isFile()) return '';
	const body = readFileSync(file.absolute, 'utf8');
	if (parseJson(body) === undefined) reader.fault(`smoke-test-file: ${file.path} is not JSON.`);
	return body;
}

function readExpectation(reader: InputReader, hasRequest: boolean): Json | undefined {
	const text = reader.text('smoke-test-expect');
	if (text === undefined) return undefined;
	const expect = parseJson(text);
	if (expect === undefined)
		reader.fault(`smoke-test-expect: expected JSON that the answer must contain, got "${text}".`);
	else if (!hasRequest) reader.fault('smoke-test-expect: there is no `smoke-test-file` whose answer it could judge.');
	return expect;
}
