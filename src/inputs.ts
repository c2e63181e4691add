// The only reader of `with:` and of the environment: text in, checked values out. Every fault is found before one is told.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { CLOUD_NAMES, type Cloud, knownCloud, readCloudFile } from './azure/cloud.ts';
import type { AuthRequest } from './azure/credential.ts';
import type { WorkspaceName } from './azure/workspace.ts';
import { parseTraffic, type TrafficStep } from './endpoint/traffic.ts';
import { type Fault, InputError } from './errors.ts';
import { isObject, type Json, parseJson, textAt } from './json.ts';
import { readRunContext } from './read-run-context.ts';
import type { RunContext } from './run-context.ts';

/** A file that an input names: `path` as the workflow author wrote it (relative to the checkout), `absolute` for reading. */
export interface InputFile {
	readonly path: string;
	readonly absolute: string;
}

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

export interface TrainInputs {
	/** Absent: follow the job `name`. */
	readonly file: InputFile | undefined;
	readonly name: string | undefined;
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

export interface GateInputs {
	readonly gates: readonly string[];
	readonly champion: string | undefined;
	readonly onFailure: 'fail' | 'skip';
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

export interface InputSource {
	/** The text of an input, trimmed; empty when not given. */
	readonly input: (name: string) => string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly mask: (value: string) => void;
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
	const auth = readAuth(reader, identity, source.env, dryRun);
	const target = readTarget(reader, identity, dryRun && auth === undefined);
	const train = readTrain(reader);
	const register = readRegister(reader, train);
	const deleteEndpoint = readDeleteEndpoint(reader);
	const deploy = deleteEndpoint === undefined ? readDeploy(reader) : undefined;
	const gate = readGate(reader, train);
	const assetFiles = reader.lines('asset-files');
	if (assetFiles.length === 0 && [train, register, deploy, deleteEndpoint].every((step) => step === undefined)) {
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

/** Reads single inputs and gathers what is wrong with them. */
class InputReader {
	readonly faults: Fault[] = [];
	readonly #input: (name: string) => string;
	readonly #checkout: string;

	constructor({ input }: InputSource, checkout: string) {
		this.#input = input;
		this.#checkout = checkout;
	}

	fault(message: string): void {
		this.faults.push({ message });
	}

	text(name: string): string | undefined {
		const value = this.#input(name).trim();
		return value === '' ? undefined : value;
	}

	texts(names: readonly string[]): Record<string, string> {
		return Object.fromEntries(names.map((name) => [name, this.text(name) ?? '']).filter(([, value]) => value !== ''));
	}

	/** YAML 1.2 core: true or false. */
	flag(name: string): boolean {
		const value = this.text(name);
		if (value === undefined || /^(false|False|FALSE)$/.test(value)) return false;
		if (!/^(true|True|TRUE)$/.test(value)) this.fault(`${name}: expected \`true\` or \`false\`, got "${value}".`);
		return true;
	}

	/** One of the words; the first is what absence means. */
	choice<const T extends string>(name: string, words: readonly [T, ...T[]]): T {
		const value = this.text(name);
		const found = words.find((word) => word === value);
		if (value !== undefined && found === undefined) {
			this.fault(`${name}: expected ${words.map((word) => `\`${word}\``).join(' or ')}, got "${value}".`);
		}
		return found ?? words[0];
	}

	number(name: string, { whole, most }: { whole: boolean; most: number }): number | undefined {
		const value = this.text(name);
		if (value === undefined) return undefined;
		const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
		if (number > 0 && number <= most && (!whole || Number.isInteger(number))) return number;
		this.fault(`${name}: expected a ${whole ? 'whole ' : ''}number above 0 and at most ${most}, got "${value}".`);
		return undefined;
	}

	/** One value a line; empty lines are passed over. */
	lines(name: string): string[] {
		return (this.text(name) ?? '')
			.split(/\r?\n/)
			.map((line) => line.trim())
			.filter((line) => line !== '');
	}

	/** `key=value` lines. */
	pairs(name: string): Record<string, string> {
		const pairs: Record<string, string> = {};
		for (const line of this.lines(name)) {
			const equals = line.indexOf('=');
			if (equals < 1) this.fault(`${name}: expected \`key=value\`, got "${line}".`);
			else pairs[line.slice(0, equals).trim()] = line.slice(equals + 1).trim();
		}
		return pairs;
	}

	/** A file that exists. */
	file(name: string): InputFile | undefined {
		const path = this.text(name);
		if (path === undefined) return undefined;
		const absolute = isAbsolute(path) ? path : resolve(this.#checkout, path);
		if (!existsSync(absolute))
			this.fault(`${name}: there is no file ${path} (looked in ${this.#checkout}; is actions/checkout missing?).`);
		else if (!statSync(absolute).isFile()) this.fault(`${name}: ${path} is not a file.`);
		return { path, absolute };
	}
}

/** What `creds` holds beside what has an input of its own, read as azure/login reads it. */
interface Identity {
	readonly clientId: string | undefined;
	readonly clientSecret: string | undefined;
	readonly tenantId: string | undefined;
	readonly subscriptionId: string | undefined;
}

const CREDS_NOT_SECRET = /^(clientId|tenantId|subscriptionId|.*Url|.*Uri)$/i;

function readIdentity(reader: InputReader, { mask }: InputSource): Identity {
	const text = reader.text('creds');
	const json = text === undefined ? undefined : parseJson(text);
	if (text !== undefined && !isObject(json)) {
		mask(text);
		reader.fault(
			'creds: expected a JSON object with clientId, clientSecret, tenantId and subscriptionId; the text is no such JSON.',
		);
	}
	for (const [key, value] of Object.entries(isObject(json) ? json : {})) {
		if (typeof value === 'string' && !CREDS_NOT_SECRET.test(key)) mask(value);
	}
	return {
		clientId: reader.text('client-id') ?? textAt(json, 'clientId'),
		clientSecret: reader.text('client-secret') ?? textAt(json, 'clientSecret'),
		tenantId: reader.text('tenant-id') ?? textAt(json, 'tenantId'),
		subscriptionId: reader.text('subscription-id') ?? textAt(json, 'subscriptionId'),
	};
}

function readCloud(reader: InputReader): Cloud | undefined {
	const value = reader.text('cloud') ?? 'AzureCloud';
	const known = knownCloud(value);
	if (known !== undefined) return known;
	if (!/[./\\]/.test(value)) {
		reader.fault(`cloud: expected ${CLOUD_NAMES.join(', ')} or the path of a JSON file, got "${value}".`);
		return undefined;
	}
	const before = reader.faults.length;
	const file = reader.file('cloud');
	if (file === undefined || reader.faults.length > before) return undefined;
	const read = readCloudFile(readFileSync(file.absolute, 'utf8'), file.path);
	if ('cloud' in read) return read.cloud;
	for (const { message } of read.faults) reader.fault(message);
	return undefined;
}

function readAuth(
	reader: InputReader,
	identity: Identity,
	env: InputSource['env'],
	dryRun: boolean,
): AuthRequest | undefined {
	const type = reader.choice('auth-type', ['auto', 'service-principal', 'oidc', 'managed-identity', 'azure-cli']);
	const audience = reader.text('audience') ?? 'api://AzureADTokenExchange';
	const { clientId, clientSecret, tenantId } = identity;
	const oidcOffered = Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
	const need = (kind: string, values: Readonly<Record<string, string | undefined>>): boolean => {
		const missing = Object.keys(values).filter((name) => values[name] === undefined);
		for (const name of missing) reader.fault(`${name}: needed to sign in with ${kind}, but not given.`);
		return missing.length === 0;
	};
	switch (type) {
		case 'managed-identity':
			return { kind: 'managed-identity', clientId };
		case 'azure-cli':
			return { kind: 'azure-cli', tenantId, insteadOf: 'nothing' };
		case 'service-principal':
			need('a service principal', { 'client-id': clientId, 'tenant-id': tenantId, 'client-secret': clientSecret });
			return {
				kind: 'service-principal',
				tenantId: tenantId ?? '',
				clientId: clientId ?? '',
				clientSecret: clientSecret ?? '',
			};
		case 'oidc':
			need('GitHub OIDC', { 'client-id': clientId, 'tenant-id': tenantId });
			return { kind: 'oidc', tenantId: tenantId ?? '', clientId: clientId ?? '', audience };
		case 'auto':
			break;
	}
	if (clientSecret !== undefined) {
		need('a service principal', { 'client-id': clientId, 'tenant-id': tenantId });
		return { kind: 'service-principal', tenantId: tenantId ?? '', clientId: clientId ?? '', clientSecret };
	}
	if (clientId !== undefined && tenantId !== undefined && oidcOffered)
		return { kind: 'oidc', tenantId, clientId, audience };
	if (dryRun && clientId === undefined) return undefined;
	if (clientId !== undefined && tenantId === undefined) need('GitHub OIDC', { 'tenant-id': tenantId });
	return { kind: 'azure-cli', tenantId, insteadOf: clientId === undefined ? 'nothing' : 'oidc' };
}

function readTarget(reader: InputReader, identity: Identity, optional: boolean): WorkspaceName | undefined {
	const values = {
		'subscription-id': identity.subscriptionId,
		'resource-group': reader.text('resource-group'),
		workspace: reader.text('workspace'),
	};
	const missing = Object.entries(values).filter(([, value]) => value === undefined);
	if (missing.length > 0 && optional) return undefined;
	for (const [name] of missing) reader.fault(`${name}: needed to find the workspace, but not given.`);
	for (const [name, value] of Object.entries(values)) {
		// They become parts of a path, so that nothing may stand in them which means something there.
		if (value !== undefined && !/^[\w.()-]{1,90}$/.test(value))
			reader.fault(`${name}: "${value}" is not a valid name.`);
	}
	return {
		subscriptionId: values['subscription-id'] ?? '',
		resourceGroup: values['resource-group'] ?? '',
		workspace: values.workspace ?? '',
	};
}

const MOST_MINUTES = 60 * 24 * 30;

function readTrain(reader: InputReader): TrainInputs | undefined {
	const file = reader.file('job-file');
	const name = reader.text('job-name');
	const minutes = reader.number('timeout-minutes', { whole: false, most: MOST_MINUTES });
	const set = reader.lines('set');
	for (const line of set) {
		if (line.indexOf('=') < 1) reader.fault(`set: expected \`path.to.field=value\`, got "${line}".`);
	}
	if (name !== undefined && !/^[a-zA-Z0-9][\w-]{0,254}$/.test(name)) {
		reader.fault(
			`job-name: "${name}" is not a valid name: letters, digits, - and _, beginning with a letter or digit, at most 255.`,
		);
	}
	const train: TrainInputs = {
		file,
		name,
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
	return name === undefined ? undefined : train;
}

function readGate(reader: InputReader, train: TrainInputs | undefined): GateInputs | undefined {
	const gates = reader.lines('metric-gates');
	const onFailure = reader.choice('on-gate-failure', ['fail', 'skip']);
	if (gates.length === 0) return undefined;
	if (train === undefined)
		reader.fault('metric-gates: judges the metrics of a job, but there is neither `job-file` nor `job-name`.');
	return { gates, onFailure, champion: reader.text('champion') };
}

function readRegister(reader: InputReader, train: TrainInputs | undefined): RegisterInputs | undefined {
	const name = reader.text('model-name');
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
	const existing = train === undefined && path === undefined && file === undefined;
	if (existing && version === undefined) {
		reader.fault(
			'model-name: there is nothing to register (no job, no `model-path`, no `model-file`); to deploy a version that exists give `model-version` too.',
		);
	}
	return { name, version, path, file, tags, registry, existing };
}

function readDeleteEndpoint(reader: InputReader): string | undefined {
	if (!reader.flag('delete-endpoint')) return undefined;
	const name = reader.text('endpoint-name');
	if (name === undefined) reader.fault('delete-endpoint: `endpoint-name` must say which endpoint to delete.');
	return name;
}

function readDeploy(reader: InputReader): DeployInputs | undefined {
	const endpointFile = reader.file('endpoint-file');
	const deploymentFile = reader.file('deployment-file');
	const endpointName = reader.text('endpoint-name');
	const deploymentName = reader.text('deployment-name');
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
	if (!existsSync(file.absolute)) return '';
	const body = readFileSync(file.absolute, 'utf8');
	if (parseJson(body) === undefined) reader.fault(`smoke-test-file: ${file.path} is not JSON.`);
	return body;
}

function readExpectation(reader: InputReader, hasRequest: boolean): Json | undefined {
	const text = reader.text('smoke-test-expect');
	if (text === undefined) return undefined;
	const expect = parseJson(text);
	if (expect === undefined)
		reader.fault('smoke-test-expect: expected JSON that the answer must contain; the text is no JSON.');
	else if (!hasRequest) reader.fault('smoke-test-expect: there is no `smoke-test-file` whose answer it could judge.');
	return expect;
}
