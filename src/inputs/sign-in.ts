// The inputs of sign-in and target: which identity, which cloud, which workspace.
import { readFileSync } from 'node:fs';
import { CLOUD_NAMES, type Cloud, knownCloud, readCloudFile } from '../azure/cloud.ts';
import type { AuthRequest } from '../azure/credential.ts';
import type { WorkspaceName } from '../azure/workspace.ts';
import { isObject, parseJson, textAt } from '../json.ts';
import type { InputReader, InputSource } from './reader.ts';

/** What `creds` and its single inputs say of the identity. */
export interface Identity {
	readonly clientId: string | undefined;
	readonly clientSecret: string | undefined;
	readonly tenantId: string | undefined;
	readonly subscriptionId: string | undefined;
}

const CREDS_NOT_SECRET = /^(clientId|tenantId|subscriptionId|.*Url|.*Uri)$/i;

/** Reads `creds` and the inputs of the same meaning, which go before it. Everything in `creds` that is not an id is masked. */
export function readIdentity(reader: InputReader, { mask }: InputSource): Identity {
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

/** The cloud that is named, or that a file describes; undefined where there is a fault. */
export function readCloud(reader: InputReader): Cloud | undefined {
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

/** A run that changes nothing, and whether it is for the pull request of a fork. */
export interface DryRunFacts {
	readonly dryRun: boolean;
	readonly fromFork: boolean;
}

/** Decides how to sign in; undefined only for a dry run that has nothing to sign in with, which stays offline. */
export function readAuth(
	reader: InputReader,
	identity: Identity,
	env: InputSource['env'],
	{ dryRun, fromFork }: DryRunFacts,
): AuthRequest | undefined {
	const type = reader.choice('auth-type', ['auto', 'service-principal', 'oidc', 'managed-identity', 'azure-cli']);
	const audience = reader.text('audience') ?? 'api://AzureADTokenExchange';
	const { clientId, clientSecret, tenantId } = identity;
	const oidcOffered = Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
	// What runs for the pull request of a fork gets neither secrets nor ID tokens, whatever its workflow asks for.
	const hasNothing = clientSecret === undefined && !oidcOffered;
	if (dryRun && fromFork && hasNothing && type !== 'managed-identity' && type !== 'azure-cli') return undefined;
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
	// A dry run uses the session of azure/login only where it is asked for by name.
	if (dryRun) return undefined;
	if (clientId !== undefined && tenantId === undefined) need('GitHub OIDC', { 'tenant-id': tenantId });
	return { kind: 'azure-cli', tenantId, insteadOf: clientId === undefined ? 'nothing' : 'oidc' };
}

/** The workspace that is meant; undefined only where it is optional and not fully named. */
export function readTarget(reader: InputReader, identity: Identity, optional: boolean): WorkspaceName | undefined {
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
		if (value !== undefined && !/^(?!\.+$)[\p{L}\p{N}_.()-]{1,90}$/u.test(value))
			reader.fault(`${name}: "${value}" is not a valid name.`);
	}
	return {
		subscriptionId: values['subscription-id'] ?? '',
		resourceGroup: values['resource-group'] ?? '',
		workspace: values.workspace ?? '',
	};
}
