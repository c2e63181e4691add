import { describe, expect, test } from '@jest/globals';
import { type Cloud, knownCloud, mayReceiveToken, readCloudFile } from '../../src/azure/cloud.ts';

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

	test('must name both endpoints; every fault is told', () => {
		const read = readCloudFile('{"endpoints":{}}', 'c.json');
		expect('faults' in read && read.faults).toHaveLength(2);
		expect(readCloudFile('[]', 'c.json')).toHaveProperty('faults');
		expect(readCloudFile('nonsense', 'c.json')).toHaveProperty('faults');
	});
});
