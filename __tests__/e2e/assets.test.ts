// `asset-files` end to end: made once in the order of need, left alone when the same, refused when changed or faulty.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSite, type Request, type Site } from './site.ts';

const TIME = 60_000;
let site: Site;

beforeAll(async () => {
	site = await openSite();
}, TIME);
afterAll(() => site.close(), TIME);

const CONDA = 'name: x\n  channels: [conda-forge]\n  dependencies: [python=3.10]';

function files(change: Readonly<Record<string, string>> = {}): Record<string, string> {
	const { subscriptionId, resourceGroup } = site.emulator;
	const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers`;
	return {
		'assets/workspace.yml': [
			'$schema: https://azuremlschemas.azureedge.net/latest/workspace.schema.json',
			'name: new-ws',
			'location: eastus',
			`storage_account: ${group}/Microsoft.Storage/storageAccounts/s`,
			`key_vault: ${group}/Microsoft.KeyVault/vaults/k`,
			`application_insights: ${group}/Microsoft.insights/components/i`,
		].join('\n'),
		'assets/cluster.yml': 'type: amlcompute\nname: tiny\nsize: STANDARD_DS2_v2\nmax_instances: 2\n',
		'assets/store.yml':
			'type: azure_blob\nname: mine\naccount_name: acct\ncontainer_name: cont\ncredentials:\n  account_key: c2VjcmV0LWtleS1vZi10aGUtc3RvcmU=\n',
		'assets/env.yml': `name: env\nversion: "1"\nimage: ubuntu:24.04\nconda_file:\n  ${CONDA}\n`,
		'assets/data.yml': 'name: rows\nversion: 1\ntype: uri_folder\npath: ../rows\n',
		'assets/a-component.yml':
			'name: echo\nversion: 1\ntype: command\ncode: ../code\ncommand: echo ${{inputs.n}}\nenvironment: azureml:env:1\ninputs:\n  n:\n    type: integer\n    default: 3\n',
		'rows/a.csv': 'a\n',
		'code/x.py': 'print(1)\n',
		...change,
	};
}

function puts(since: number): string[] {
	return site
		.requests(since)
		.filter(({ method, face }: Request) => method === 'PUT' && face === 'arm')
		.map(({ line }) => line);
}

const INPUTS = { 'asset-files': 'assets/*.yml', workspace: 'new-ws' };

test(
	'makes what is missing, each thing after what it needs, and nothing the second time',
	async () => {
		const first = await site.run(INPUTS, { files: files() });
		expect(first.code).toBe(0);
		const made = puts(0).map((line) => line.replace(/^PUT (.*\/)?(workspaces\/new-ws)$/, 'PUT $2'));
		expect(made.filter((line) => !line.includes('codes/'))).toEqual([
			'PUT workspaces/new-ws',
			'PUT computes/tiny',
			'PUT datastores/mine',
			'PUT environments/env/versions/1',
			'PUT data/rows/versions/1',
			'PUT components/echo/versions/1',
		]);
		expect(first.stdout).not.toMatch(/^(?!::add-mask::).*c2VjcmV0LWtleS1vZi10aGUtc3RvcmU=/m);

		const since = site.emulator.requests.length;
		const second = await site.run(INPUTS, { files: files() });
		expect(second.code).toBe(0);
		expect(puts(since)).toEqual([]);
	},
	TIME,
);

test(
	'refuses a version that is there with other content, and says what differs',
	async () => {
		await site.run(INPUTS, { files: files() });
		const since = site.emulator.requests.length;
		const changed = files({ 'assets/env.yml': (files()['assets/env.yml'] ?? '').replace('3.10', '3.11') });
		const run = await site.run(INPUTS, { files: changed });
		expect(run.code).toBe(1);
		expect(run.stdout).toMatch(/::error file=assets\/env\.yml.*python=3\.1/);
		expect(puts(since)).toEqual([]);
	},
	TIME,
);

test(
	'tells the faults of all files together, before any request',
	async () => {
		const since = site.emulator.requests.length;
		const run = await site.run(
			{ 'asset-files': 'assets/*.yml\nnone/*.yml' },
			{
				files: files({
					'assets/env.yml': 'name: e\nimage: x\nimagge: y\n',
					'assets/job.yml': 'type: command\ncommand: x\ncompute: azureml:c\nenvironment: azureml:e:1\n',
				}),
			},
		);
		expect(run.code).toBe(1);
		expect(run.stdout).toMatch(/::error file=assets\/env\.yml,line=3.*imagge.*image/);
		expect(run.stdout).toMatch(/::error file=assets\/job\.yml.*job-file/);
		expect(run.stdout).toMatch(/::error.*none\/\*\.yml/);
		expect(site.requests(since)).toEqual([]);
	},
	TIME,
);
