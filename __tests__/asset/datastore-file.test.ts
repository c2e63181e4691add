import { describe, expect, test } from '@jest/globals';
import { datastoreBody, readDatastoreFile } from '../../src/asset/datastore-file.ts';
import { FileError } from '../../src/errors.ts';
import { loadYaml } from '../../src/yaml/load.ts';

const read = (yaml: string): ReturnType<typeof readDatastoreFile> =>
	readDatastoreFile(loadYaml(`name: d\n${yaml}`, 'd.yml', '/'));
const body = (yaml: string): unknown => datastoreBody(read(yaml)).properties;

describe('bodies', () => {
	test.each([
		[
			'a blob container',
			'type: azure_blob\naccount_name: a\ncontainer_name: c',
			{
				datastoreType: 'AzureBlob',
				accountName: 'a',
				containerName: 'c',
				endpoint: 'core.windows.net',
				protocol: 'https',
				credentials: { credentialsType: 'None' },
			},
		],
		[
			'an account key',
			'type: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {account_key: k}',
			{ credentials: { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: 'k' } } },
		],
		[
			'a SAS',
			'type: azure_file\naccount_name: a\nfile_share_name: f\ncredentials: {sas_token: s}',
			{
				datastoreType: 'AzureFile',
				fileShareName: 'f',
				credentials: { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: 's' } },
			},
		],
		[
			'a service principal',
			'type: azure_data_lake_gen2\naccount_name: a\nfilesystem: f\ncredentials: {tenant_id: t, client_id: c, client_secret: s}',
			{
				datastoreType: 'AzureDataLakeGen2',
				filesystem: 'f',
				credentials: {
					credentialsType: 'ServicePrincipal',
					tenantId: 't',
					clientId: 'c',
					secrets: { secretsType: 'ServicePrincipal', clientSecret: 's' },
				},
			},
		],
		[
			'a certificate',
			'type: azure_data_lake_gen1\nstore_name: s\ncredentials: {tenant_id: t, client_id: c, certificate: pem, thumbprint: p}',
			{
				datastoreType: 'AzureDataLakeGen1',
				storeName: 's',
				credentials: {
					credentialsType: 'Certificate',
					thumbprint: 'p',
					secrets: { secretsType: 'Certificate', certificate: 'pem' },
				},
			},
		],
		[
			'a lake house',
			'type: one_lake\none_lake_workspace_name: w\nendpoint: e\nartifact: {type: lake_house, name: l}',
			{
				datastoreType: 'OneLake',
				oneLakeWorkspaceName: 'w',
				artifact: { artifactType: 'LakeHouse', artifactName: 'l' },
			},
		],
	])('%s', (_, yaml, expected) => {
		expect(body(yaml)).toMatchObject(expected);
	});
});

test('secrets can be masked before anything is said', () => {
	expect(read('type: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {account_key: k}').secrets).toEqual([
		'k',
	]);
	expect(read('type: azure_blob\naccount_name: a\ncontainer_name: c').secrets).toEqual([]);
});

test('no fault shows a secret', () => {
	const text = (yaml: string): string => {
		try {
			read(yaml);
		} catch (error) {
			return error instanceof FileError ? error.message : 'other';
		}
		return 'none';
	};
	expect(text('type: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {account_key: 123456}')).not.toMatch(
		/123456/,
	);
	expect(text('type: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {sas_token: {x: 1}}')).toMatch(
		/Expected text/,
	);
});

test.each([
	['no container', 'type: azure_blob\naccount_name: a', /'container_name'/],
	[
		'half a principal',
		'type: azure_blob\naccount_name: a\ncontainer_name: c\ncredentials: {client_id: c}',
		/'tenant_id'/,
	],
	['a strange type', 'type: s3', /'azure_blob'/],
])('%s is refused', (_, yaml, message) => {
	expect(() => read(yaml)).toThrow(message);
});
