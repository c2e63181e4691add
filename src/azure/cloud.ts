// The endpoints of each Azure cloud, and the questions of trust: which hosts may see a token, which are storage of the
// cloud, and what may be fetched without any credential.
import type { Fault } from '../errors.ts';
import { at, isObject, parseJson, textAt } from '../json.ts';
import { withoutEndSlashes } from '../slashes.ts';

/** Where a cloud is reached. URLs have no trailing slash. */
export interface Cloud {
	readonly name: string;
	/** Base URL of Azure Resource Manager. */
	readonly resourceManager: string;
	/** Base URL of Microsoft Entra. */
	readonly authority: string;
	/** Scope of tokens for the resource manager and the Azure ML data plane. */
	readonly armScope: string;
	/** Scope of tokens for endpoints whose `auth_mode` is `aad_token`. */
	readonly machineLearningScope: string;
	/** Base URL of Azure ML studio. */
	readonly studio: string;
	/** Suffix of storage hosts, e.g. `core.windows.net`. */
	readonly storageSuffix: string;
	/** Hosts below these suffixes may see a token. */
	readonly machineLearningSuffixes: readonly string[];
	/** Not one of Microsoft's own: its authority is not asked about at login.microsoftonline.com. */
	readonly custom: boolean;
}

const AZURE_CLOUDS: Readonly<Record<string, Cloud>> = {
	AzureCloud: {
		name: 'AzureCloud',
		resourceManager: 'https://management.azure.com',
		authority: 'https://login.microsoftonline.com',
		armScope: 'https://management.azure.com/.default',
		machineLearningScope: 'https://ml.azure.com/.default',
		studio: 'https://ml.azure.com',
		storageSuffix: 'core.windows.net',
		machineLearningSuffixes: ['api.azureml.ms', 'inference.ml.azure.com'],
		custom: false,
	},
	AzureUSGovernment: {
		name: 'AzureUSGovernment',
		resourceManager: 'https://management.usgovcloudapi.net',
		authority: 'https://login.microsoftonline.us',
		armScope: 'https://management.usgovcloudapi.net/.default',
		machineLearningScope: 'https://ml.azure.us/.default',
		studio: 'https://ml.azure.us',
		storageSuffix: 'core.usgovcloudapi.net',
		machineLearningSuffixes: ['api.ml.azure.us', 'inference.ml.azure.us'],
		custom: false,
	},
	AzureChinaCloud: {
		name: 'AzureChinaCloud',
		resourceManager: 'https://management.chinacloudapi.cn',
		authority: 'https://login.chinacloudapi.cn',
		armScope: 'https://management.chinacloudapi.cn/.default',
		machineLearningScope: 'https://ml.azure.cn/.default',
		studio: 'https://studio.ml.azure.cn',
		storageSuffix: 'core.chinacloudapi.cn',
		machineLearningSuffixes: ['api.ml.azure.cn', 'inference.ml.azure.cn'],
		custom: false,
	},
};

/** The cloud of this name, if it is one of Microsoft's. */
export function knownCloud(name: string): Cloud | undefined {
	return Object.hasOwn(AZURE_CLOUDS, name) ? AZURE_CLOUDS[name] : undefined;
}

/** The names that `knownCloud` knows. */
export const CLOUD_NAMES: readonly string[] = Object.keys(AZURE_CLOUDS);

/**
 * A cloud from the JSON text of `az cloud register --cloud-config`.
 * @param file how messages name it
 * @returns the cloud, or every fault of the file
 */
export function readCloudFile(text: string, file: string): { cloud: Cloud } | { faults: Fault[] } {
	const json = parseJson(text);
	if (!isObject(json)) return { faults: [{ message: `cloud: ${file} does not hold a JSON object.` }] };
	const faults: Fault[] = [];
	const endpoint = (name: string, needed: boolean): string => {
		const value = textAt(json, 'endpoints', name);
		if (value === undefined || value.trim() === '') {
			if (needed) faults.push({ message: `cloud: ${file} has no endpoints.${name}.` });
			return '';
		}
		const fault = endpointFault(value);
		if (fault !== undefined) faults.push({ message: `cloud: endpoints.${name} in ${file} ${fault}` });
		return withoutEndSlashes(value.trim());
	};
	const resourceManager = endpoint('resourceManager', true);
	const authority = endpoint('activeDirectory', true);
	const resource = textAt(json, 'endpoints', 'activeDirectoryResourceId')?.trim() || resourceManager;
	const machineLearning = textAt(json, 'endpoints', 'machineLearningResourceId')?.trim() || resource;
	const studio = endpoint('studio', false);
	if (faults.length > 0) return { faults };
	return {
		cloud: {
			name: textAt(json, 'name') ?? 'custom',
			resourceManager,
			authority,
			armScope: scopeOf(resource),
			machineLearningScope: scopeOf(machineLearning),
			studio: studio || 'https://ml.azure.com',
			storageSuffix: textAt(json, 'suffixes', 'storageEndpoint')?.trim().replace(/^\./, '') ?? '',
			machineLearningSuffixes: suffixesOf(at(json, 'suffixes', 'machineLearning')),
			custom: true,
		},
	};
}

/** A resource id that ends in a slash would give a doubled one, which Entra takes for another resource. */
function scopeOf(resource: string): string {
	return `${withoutEndSlashes(resource)}/.default`;
}

/** One suffix or a list of them; a leading dot or `*.` is how some people write them. */
function suffixesOf(value: unknown): string[] {
	const items = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[\s,;]+/) : [];
	return items
		.filter((item): item is string => typeof item === 'string')
		.map((item) =>
			item
				.trim()
				.toLowerCase()
				.replace(/^(\*?\.)+/, ''),
		)
		.filter((item) => item !== '');
}

function endpointFault(text: string): string | undefined {
	const url = parseUrl(text.trim());
	if (url === undefined) return `is not a URL: ${text}`;
	if (url.username !== '' || url.password !== '') return 'must not hold a user name or password.';
	if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return undefined;
	return `must be https (or http on a loopback address), but is ${text}`;
}

/** Whether a host name or address never leaves this machine. */
export function isLoopback(hostname: string): boolean {
	const host = hostname.toLowerCase().replace(/\.$/, '');
	return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Whether a bearer token may be sent to this URL: the cloud's resource manager, or a host below one of its
 * machine-learning suffixes. A custom cloud's resource manager is trusted by its host, whatever the port.
 */
export function mayReceiveToken(cloud: Cloud, target: string | URL): boolean {
	const url = typeof target === 'string' ? parseUrl(target) : target;
	if (url === undefined || url.username !== '' || url.password !== '') return false;
	const manager = new URL(cloud.resourceManager);
	const loopback = isLoopback(url.hostname);
	if (url.protocol !== 'https:' && !(url.protocol === 'http:' && cloud.custom && loopback)) return false;
	const host = url.hostname.toLowerCase();
	if (cloud.custom) {
		if (host === manager.hostname.toLowerCase()) return true;
	} else {
		if (url.port !== '') return false;
		if (host === manager.hostname) return true;
	}
	return cloud.machineLearningSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

/** Accounts of the public cloud that have a DNS zone of their own are here: `account.z01.blob.storage.azure.net`. */
const ZONED_STORAGE = 'storage.azure.net';

/**
 * Whether files, a signature or what an account key signs may be sent to this URL: a host below the cloud's storage suffix,
 * by https. Of a custom cloud also a loopback address, and any port.
 */
export function isStorage(cloud: Cloud, target: string): boolean {
	const url = fetchable(cloud, target);
	if (url === undefined) return false;
	if (cloud.custom && isLoopback(url.hostname)) return true;
	const own = cloud.storageSuffix.toLowerCase().replace(/:\d+$/, '');
	const suffixes = cloud.name === 'AzureCloud' ? [own, ZONED_STORAGE] : [own];
	return suffixes.some((suffix) => suffix !== '' && url.hostname.endsWith(`.${suffix}`));
}

/**
 * Whether an address from a service's answer may be fetched without any credential, as log files and discovery are: by https
 * from a host with a name, so that no answer makes the runner ask its own machine or the metadata service of its cloud.
 * A custom cloud may be on loopback.
 */
export function isFetchable(cloud: Cloud, target: string): boolean {
	return fetchable(cloud, target) !== undefined;
}

function fetchable(cloud: Cloud, target: string): URL | undefined {
	const url = parseUrl(target);
	if (url === undefined || url.username !== '' || url.password !== '') return undefined;
	if (isLoopback(url.hostname)) return cloud.custom && /^https?:$/.test(url.protocol) ? url : undefined;
	const named = !/^\[|^[\d.]+$/.test(url.hostname);
	return url.protocol === 'https:' && (cloud.custom || (named && url.port === '')) ? url : undefined;
}

function parseUrl(text: string): URL | undefined {
	// URL() repairs backslashes and white space; an address that needs repair is not one we trust.
	if (/[\\\s]/.test(text)) return undefined;
	return URL.canParse(text) ? new URL(text) : undefined;
}
