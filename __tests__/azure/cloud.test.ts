import { describe, expect, test } from '@jest/globals';
import {
	type Cloud,
	isFetchable,
	isLoopback,
	isStorage,
	knownCloud,
	mayReceiveToken,
	readCloudFile,
} from '../../src/azure/cloud.ts';

function cloudOf(name: string): Cloud {
	const cloud = knownCloud(name);
	if (cloud === undefined) throw new Error(name);
	return cloud;
}

function customCloud(config: object): Cloud {
	const read = readCloudFile(JSON.stringify(config), 'cloud.json');
	if ('faults' in read) throw new Error(read.faults.map(({ message }) => message).join());
	return read.cloud;
}

const CUSTOM = {
	endpoints: {
		resourceManager: 'http://127.0.0.1:4000/',
		activeDirectory: 'https://localhost:4001',
		activeDirectoryResourceId: 'http://127.0.0.1:4000/',
	},
};

describe('hosts that may see a token', () => {
	test.each([
		['AzureCloud', 'https://management.azure.com/subscriptions/x'],
		['AzureCloud', 'https://eastus.api.azureml.ms/history/v1.0'],
		['AzureCloud', 'https://iris.eastus.inference.ml.azure.com/score'],
		['AzureUSGovernment', 'https://management.usgovcloudapi.net/x'],
		['AzureUSGovernment', 'https://usgovarizona.api.ml.azure.us/x'],
		['AzureChinaCloud', 'https://chinaeast2.api.ml.azure.cn/x'],
	])('%s: %s', (cloud, url) => {
		expect(mayReceiveToken(cloudOf(cloud), url)).toBe(true);
	});

	test.each([
		'http://management.azure.com/x',
		'https://management.azure.com:8443/x',
		'https://management.azure.com.evil.example/x',
		'https://evilapi.azureml.ms/x',
		'https://api.azureml.ms.evil.example/x',
		'https://user@management.azure.com/x',
		'https://management.azure.com@evil.example/x',
		'https://evil.example\\@management.azure.com/x',
		'//management.azure.com/x',
		'https://acct.blob.core.windows.net/c',
		'https://management.usgovcloudapi.net/x',
		'http://169.254.169.254/metadata',
		'https://managem\u0435nt.azure.com/x',
		'https://api.azureml.ms./x',
		'file:///etc/passwd',
		'',
	])('never %s in the public cloud', (url) => {
		expect(mayReceiveToken(cloudOf('AzureCloud'), url)).toBe(false);
	});

	test('a custom cloud is trusted by the host of its resource manager, at any port, and by what it lists', () => {
		const cloud = customCloud({ ...CUSTOM, suffixes: { machineLearning: ['.ml.corp.example'] } });
		expect(mayReceiveToken(cloud, 'http://127.0.0.1:9/history')).toBe(true);
		expect(mayReceiveToken(cloud, 'https://west.ml.corp.example/x')).toBe(true);
		expect(mayReceiveToken(cloud, 'http://west.ml.corp.example/x')).toBe(false);
		expect(mayReceiveToken(cloud, 'http://localhost:4000/x')).toBe(false);
		expect(mayReceiveToken(cloud, 'https://eastus.api.azureml.ms/x')).toBe(false);
	});
});

describe('hosts that may see a token of a custom cloud', () => {
	const CORP = {
		endpoints: { resourceManager: 'https://ARM.corp.example', activeDirectory: 'https://login.corp.example' },
		suffixes: { machineLearning: '*.ml.corp.example, ..api.corp.example;;' },
	};

	test.each([
		'https://arm.corp.example/x',
		'https://arm.corp.example:8443/x',
		'https://ml.corp.example/x',
		'https://west.ml.corp.example:444/x',
		'https://west.api.corp.example/x',
	])('%s', (url) => {
		expect([mayReceiveToken(customCloud(CORP), url), mayReceiveToken(customCloud(CORP), new URL(url))]).toEqual([
			true,
			true,
		]);
	});

	test.each([
		'http://arm.corp.example/x',
		'ftp://arm.corp.example/x',
		'https://:word@arm.corp.example/x',
		'https://user@arm.corp.example/x',
		'https://corp.example/x',
		'https://xml.corp.example/x',
		'http://west.ml.corp.example/x',
		'http://127.0.0.1/x',
		'https://localhost/x',
		'https://arm.corp.example /x',
	])('never %s', (url) => {
		expect(mayReceiveToken(customCloud(CORP), url)).toBe(false);
	});

	test('by http only on loopback, and by nothing else than http there', () => {
		expect(mayReceiveToken(customCloud(CUSTOM), 'http://127.0.0.1:1/x')).toBe(true);
		expect(mayReceiveToken(customCloud(CUSTOM), 'ftp://127.0.0.1:1/x')).toBe(false);
	});
});

describe('this machine', () => {
	test.each(['localhost', 'LOCALHOST.', 'acct.blob.localhost', '[::1]', '127.0.0.1', '127.10.200.30'])(
		'is %s',
		(host) => {
			expect(isLoopback(host)).toBe(true);
		},
	);

	test.each([
		'localhost.example',
		'xlocalhost',
		'127.0.0.1.evil.example',
		'x127.0.0.1',
		'128.0.0.1',
		'127.0.0',
		'[::2]',
		'',
	])('is not %j', (host) => {
		expect(isLoopback(host)).toBe(false);
	});
});

describe('storage of a cloud', () => {
	test.each([
		['AzureCloud', 'https://acct.blob.core.windows.net/c?sig=x'],
		['AzureCloud', 'https://acct.z01.blob.storage.azure.net/c'],
		['AzureUSGovernment', 'https://acct.blob.core.usgovcloudapi.net/c'],
		['AzureChinaCloud', 'https://acct.blob.core.chinacloudapi.cn/c'],
	])('%s: %s', (cloud, url) => {
		expect(isStorage(cloudOf(cloud), url)).toBe(true);
	});

	test.each([
		'http://acct.blob.core.windows.net/c',
		'https://acct.blob.core.windows.net:444/c',
		'https://acct.blob.core.windows.net.evil.example/c',
		'https://acct.blob.core.windows.net@evil.example/c',
		'https://evil.example/x#.blob.core.windows.net/c',
		'https://evil.example\\.blob.core.windows.net/c',
		'https://acct.blob.evilcore.windows.net/c',
		'https://acct.blob.core.usgovcloudapi.net/c',
		'https://core.windows.net/c',
		'https://127.0.0.1/c',
		'http://acct.blob.localhost:10000/c',
		'',
	])('is never %s in the public cloud', (url) => {
		expect(isStorage(cloudOf('AzureCloud'), url)).toBe(false);
	});

	test('of a custom cloud is below the suffix that its file names, at any port, or on loopback', () => {
		const cloud = customCloud({ ...CUSTOM, suffixes: { storageEndpoint: '.storage.corp.example:8443' } });
		expect(isStorage(cloud, 'https://acct.blob.storage.corp.example:8443/c')).toBe(true);
		expect(isStorage(cloud, 'http://acct.blob.localhost:10000/c')).toBe(true);
		expect(isStorage(cloud, 'http://acct.blob.storage.corp.example/c')).toBe(false);
		expect(isStorage(cloud, 'https://acct.blob.core.windows.net/c')).toBe(false);
		expect(isStorage(cloud, 'https://acct.z01.blob.storage.azure.net/c')).toBe(false);
		expect(isStorage(customCloud(CUSTOM), 'https://acct.blob.core.windows.net/c')).toBe(false);
		expect(isStorage(customCloud(CUSTOM), 'https://evil.example./c')).toBe(false);
	});
});

describe('what is fetched without a credential', () => {
	test.each([
		'http://eastus.api.azureml.ms/discovery',
		'http://169.254.169.254/metadata/identity/oauth2/token',
		'https://169.254.169.254/metadata',
		'https://2852039166/metadata',
		'https://[fd00:ec2::254]/latest',
		'https://localhost/x',
		'http://127.0.0.1:8080/x',
		'https://user:word@acct.blob.core.windows.net/x',
		'https://user@acct.blob.core.windows.net/x',
		'https://:word@acct.blob.core.windows.net/x',
		'https://acct.blob.core.windows.net:22/x',
		'file:///etc/passwd',
	])('is never %s in the public cloud', (url) => {
		expect(isFetchable(cloudOf('AzureCloud'), url)).toBe(false);
	});

	test('is what has a public name, and on loopback what is of a custom cloud', () => {
		expect(isFetchable(cloudOf('AzureCloud'), 'https://acct.blob.core.windows.net/c/log.txt?sig=x')).toBe(true);
		expect(isFetchable(cloudOf('AzureCloud'), 'https://10.blob.core.windows.net/c')).toBe(true);
		expect(isFetchable(cloudOf('AzureCloud'), 'https://blob4.example/c')).toBe(true);
		expect(isFetchable(customCloud(CUSTOM), 'http://acct.blob.localhost:10000/c')).toBe(true);
		expect(isFetchable(customCloud(CUSTOM), 'ftp://acct.blob.localhost:10000/c')).toBe(false);
		expect(isFetchable(customCloud(CUSTOM), 'http://169.254.169.254/metadata')).toBe(false);
	});
});

describe('a cloud file', () => {
	test('gives endpoints without trailing slashes and scopes without doubled ones', () => {
		expect(customCloud(CUSTOM)).toMatchObject({
			resourceManager: 'http://127.0.0.1:4000',
			armScope: 'http://127.0.0.1:4000/.default',
			authority: 'https://localhost:4001',
			custom: true,
		});
	});

	test('may name http on loopback only', () => {
		const read = readCloudFile(
			JSON.stringify({
				endpoints: { resourceManager: 'http://arm.corp.example', activeDirectory: 'https://login.corp.example' },
			}),
			'c.json',
		);
		expect(read).toEqual({
			faults: [
				{
					message:
						'cloud: endpoints.resourceManager in c.json must be https (or http on a loopback address), but is http://arm.corp.example',
				},
			],
		});
	});

	test.each([
		['https://user@arm.corp.example', /must not hold a user name/],
		['https://:word@arm.corp.example', /must not hold a user name/],
		['ftp://127.0.0.1', /must be https/],
		['arm.corp.example', /is not a URL/],
		['https:\\\\arm.corp.example', /is not a URL/],
	])('may not name %s', (resourceManager, why) => {
		const endpoints = { resourceManager, activeDirectory: 'https://login.corp.example' };
		const read = readCloudFile(JSON.stringify({ endpoints }), 'c.json');
		expect('faults' in read && read.faults.map(({ message }) => message)).toEqual([expect.stringMatching(why)]);
	});

	test('may have slashes and blanks around what it names, and leave out what is Microsoft’s', () => {
		const cloud = customCloud({
			name: 'Corp',
			endpoints: {
				resourceManager: ' https://arm.corp.example// ',
				activeDirectory: 'https://login.corp.example',
				activeDirectoryResourceId: ' https://id.corp.example// ',
				machineLearningResourceId: ' https://ml.corp.example/ ',
				studio: ' ',
			},
			suffixes: { storageEndpoint: ' .storage.corp.example ', machineLearning: [' *.ML.corp.example ', '', 7] },
		});
		expect(cloud).toMatchObject({
			name: 'Corp',
			resourceManager: 'https://arm.corp.example',
			armScope: 'https://id.corp.example/.default',
			machineLearningScope: 'https://ml.corp.example/.default',
			studio: 'https://ml.azure.com',
			storageSuffix: 'storage.corp.example',
			machineLearningSuffixes: ['ml.corp.example'],
		});
		expect(customCloud(CUSTOM)).toMatchObject({ name: 'custom', storageSuffix: '', machineLearningSuffixes: [] });
		const studio = 'https://studio.corp.example/';
		expect(customCloud({ endpoints: { ...CUSTOM.endpoints, studio } }).studio).toBe('https://studio.corp.example');
		expect(['AzureCloud', 'AzureUSGovernment', 'AzureChinaCloud'].map((name) => cloudOf(name).custom)).toEqual([
			false,
			false,
			false,
		]);
	});

	test('must name both endpoints; every fault is told', () => {
		const read = readCloudFile('{"endpoints":{}}', 'c.json');
		expect('faults' in read && read.faults.map(({ message }) => message)).toEqual([
			'cloud: c.json has no endpoints.resourceManager.',
			'cloud: c.json has no endpoints.activeDirectory.',
		]);
		const none = { faults: [{ message: 'cloud: c.json does not hold a JSON object.' }] };
		expect([readCloudFile('[]', 'c.json'), readCloudFile('nonsense', 'c.json')]).toEqual([none, none]);
		const blank = JSON.stringify({ endpoints: { ...CUSTOM.endpoints, resourceManager: ' ' } });
		expect(readCloudFile(blank, 'c.json')).toHaveProperty('faults.length', 1);
	});
});
