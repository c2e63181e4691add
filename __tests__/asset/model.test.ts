import { afterEach, describe, expect, test } from '@jest/globals';
import type { TrainedJob } from '../../src/asset/job-content.ts';
import { findModel, type ModelRequest, type ModelVersion, registerModel } from '../../src/asset/model.ts';
import type { ModelFile } from '../../src/asset/model-file.ts';
import { AssetSite, WORKSPACE_ID } from './site.ts';

let site: AssetSite;
afterEach(() => site.close());

const job = (outputs: TrainedJob['outputs'] = {}): TrainedJob => ({
	name: 'job-1',
	experimentName: 'exp one',
	outputs,
});

function register(request: Partial<ModelRequest>): Promise<ModelVersion> {
	const { workspace, log, clock, checkout } = site;
	const publisher = site.publisher();
	return registerModel(
		{ name: 'iris', tags: { job: 'job-1' }, ...request },
		{ workspace, publisher, log, clock, checkout },
	);
}

/** Run history with these artifacts, two on a page. */
function withArtifacts(...paths: string[]): void {
	const before = site.answer;
	site.answer = (request, below) => {
		if (!request.path.endsWith('/experiments/exp one/runs/job-1/artifacts')) return before?.(request, below);
		const from = Number(request.query['continuationToken'] ?? 0);
		const value = paths.slice(from, from + 2).map((path) => ({ path }));
		const more = from + 2 < paths.length ? { continuationToken: String(from + 2) } : {};
		return { status: 200, body: { value, ...more } };
	};
}

/** Blobs below the place where the job's output is. */
function withOutput(output: string, ...paths: string[]) {
	for (const path of paths) {
		const blob = { data: Buffer.from('x'), md5: undefined, metadata: {} };
		site.server.blobs.set(`/container/azureml/job-1/${output}/${path}`, blob);
	}
	return { uri: `azureml://datastores/workspaceblobstore/paths/azureml/job-1/${output}/` };
}

describe('the model of a job is', () => {
	test('its one output of a model type', async () => {
		site = await AssetSite.open();
		const outputs = {
			default: {
				type: 'uri_folder',
				uri: 'azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.job-1',
			},
			plots: { type: 'uri_folder' },
			trained: { type: 'mlflow_model', ...withOutput('trained', 'MLmodel', 'model.pkl') },
		};
		const made = await register({ job: job(outputs) });
		expect(made).toEqual({
			name: 'iris',
			version: '1',
			id: `${WORKSPACE_ID}/models/iris/versions/1`,
			assetId: 'azureml:iris:1',
			uri: 'azureml://jobs/job-1/outputs/trained/paths/',
			type: 'mlflow_model',
			reused: false,
		});
		expect(site.body('models/iris/versions/1')).toMatchObject({
			modelType: 'mlflow_model',
			modelUri: 'azureml://jobs/job-1/outputs/trained/paths/',
			tags: { job: 'job-1' },
			isAnonymous: false,
		});
	});

	test("of a sweep the best trial's, which is where the output lies", async () => {
		site = await AssetSite.open();
		const sweep = { ...job({ trained: { type: 'custom_model' } }), properties: { best_child_run_id: 'job-1_3' } };
		for (const path of [undefined, 'trained']) {
			const made = await register({ job: sweep, ...(path === undefined ? {} : { path }) });
			expect(made.uri).toBe('azureml://jobs/job-1_3/outputs/trained/paths/');
		}
	});

	test('else its one folder of artifacts with an MLmodel file', async () => {
		site = await AssetSite.open();
		withArtifacts('logs/a.txt', 'model/MLmodel', 'model/model.pkl', 'user_logs/std_log.txt');
		const made = await register({ job: job({ default: { type: 'uri_folder' } }) });
		expect(made.uri).toBe('azureml://jobs/job-1/outputs/artifacts/paths/model/');
		expect(made.type).toBe('mlflow_model');
	});

	test('else its one output folder, or the one called model', async () => {
		site = await AssetSite.open();
		withArtifacts('logs/a.txt');
		const one = await register({ job: job({ trained: { type: 'uri_folder', ...withOutput('trained', 'm.pkl') } }) });
		expect([one.uri, one.type]).toEqual(['azureml://jobs/job-1/outputs/trained/paths/', 'custom_model']);
		const two = { plots: { type: 'uri_folder' }, model: { type: 'uri_folder', ...withOutput('model', 'MLmodel') } };
		const other = await register({ job: job(two) });
		expect([other.uri, other.type]).toEqual(['azureml://jobs/job-1/outputs/model/paths/', 'mlflow_model']);
	});

	test.each([
		[
			'two models',
			{ a: { type: 'mlflow_model' }, b: { type: 'custom_model' } },
			[],
			/2 outputs of a model type.*a, b/s,
		],
		['two MLmodel files', {}, ['a/MLmodel', 'b/MLmodel'], /2 folders with an MLmodel file.*a, b/s],
		['two folders', { a: { type: 'uri_folder' }, b: { type: 'uri_folder' } }, [], /2 output folders.*a, b/s],
		['nothing', {}, ['logs/a.txt'], /nothing that looks like a model.*Outputs of the job: none.*logs\/a\.txt/s],
	])('unclear with %s: an error lists what there is', async (_, outputs, artifacts, message) => {
		site = await AssetSite.open();
		withArtifacts(...artifacts);
		const failure = register({ job: job(outputs) });
		await expect(failure).rejects.toThrow(message);
		await expect(failure).rejects.toThrow('model-path');
		expect(site.lines(/PUT/)).toEqual([]);
	});
});

describe('an output that holds nothing', () => {
	const outputs = () => ({ trained: { type: 'mlflow_model', ...withOutput('trained') } });

	test('is an error that names its place; nothing is registered', async () => {
		site = await AssetSite.open();
		withOutput('trained-other', 'MLmodel');
		await expect(register({ job: job(outputs()) })).rejects.toThrow(
			/output 'trained' of the job job-1 holds nothing.*paths\/azureml\/job-1\/trained\//s,
		);
		expect(site.lines(/PUT/)).toEqual([]);
	});

	test('is found by what run history says of it, before what the job says', async () => {
		site = await AssetSite.open();
		withOutput('elsewhere', 'MLmodel');
		site.answer = ({ path, body }) => {
			if (path.endsWith('/rundata')) {
				const asked = JSON.parse(body.toString()) as { runId: string };
				const trained = { assetId: `azureml://locations/x/${asked.runId}`, type: 'MLFlowModel' };
				return { status: 200, body: { runMetadata: { outputs: { trained } } } };
			}
			if (!path.endsWith('/models/batchGetResolvedUris')) return undefined;
			const uri =
				'azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/azureml/job-1/elsewhere';
			return { status: 200, body: { values: { 'azureml://locations/x/job-1': { path: uri, type: 'mlflow_model' } } } };
		};
		await expect(register({ job: job(outputs()) })).resolves.toMatchObject({ version: '1' });
	});

	test('cannot be told where its storage may not be read; then the service is to judge', async () => {
		site = await AssetSite.open();
		site.server.fault = ({ host }) =>
			host.includes('.blob.') ? { status: 403, code: 'AuthorizationFailure' } : undefined;
		await expect(register({ job: job(outputs()) })).resolves.toMatchObject({ type: 'mlflow_model' });
	});
});

describe('model-path', () => {
	test.each([
		['trained', 'azureml://jobs/job-1/outputs/trained/paths/'],
		['trained/best', 'azureml://jobs/job-1/outputs/trained/paths/best/'],
		['trained/best/m.pkl', 'azureml://jobs/job-1/outputs/trained/paths/best/m.pkl'],
		['outputs/model', 'azureml://jobs/job-1/outputs/artifacts/paths/outputs/model/'],
		['./outputs/model/', 'azureml://jobs/job-1/outputs/artifacts/paths/outputs/model/'],
		['outputs/model/m.pkl', 'azureml://jobs/job-1/outputs/artifacts/paths/outputs/model/m.pkl'],
		['runs:/job-1/model', 'runs:/job-1/model'],
		['azureml://jobs/other/outputs/artifacts/paths/model/', 'azureml://jobs/other/outputs/artifacts/paths/model/'],
	])('%s', async (path, uri) => {
		site = await AssetSite.open();
		withArtifacts('outputs/model/m.pkl', 'outputs/other.txt');
		const outputs = { trained: { type: 'uri_folder', ...withOutput('trained', 'best/m.pkl', 'x') } };
		const made = await register({ job: job(outputs), path });
		expect([made.uri, made.type]).toEqual([uri, 'custom_model']);
	});

	test('to a datastore is written in the long form', async () => {
		site = await AssetSite.open();
		const { uri } = await register({ path: 'azureml://datastores/store/paths/model' });
		expect(uri).toBe('azureml://subscriptions/sub-1/resourcegroups/rg-1/workspaces/ws-1/datastores/store/paths/model');
	});

	test('to a local folder uploads it and sees its type', async () => {
		site = await AssetSite.open({ 'model/MLmodel': 'flavors: {}', 'model/model.pkl': 'x' });
		const made = await register({ path: 'model' });
		expect(made.type).toBe('mlflow_model');
		expect(made.uri).toMatch(/\/datastores\/workspaceblobstore\/paths\/LocalUpload\/[0-9a-f]{32}\/model$/);
		expect(site.blobs()).toHaveLength(2);
	});

	test('to nothing lists what there is', async () => {
		site = await AssetSite.open();
		withArtifacts('outputs/model.pkl');
		await expect(register({ job: job({ trained: { type: 'mlflow_model' } }), path: 'modle' })).rejects.toThrow(
			/model-path 'modle'.*trained \(mlflow_model\).*outputs\/model\.pkl/s,
		);
	});
});

describe('a model file', () => {
	const file = (more: Partial<ModelFile> = {}): ModelFile => ({
		name: 'from-file',
		version: undefined,
		type: 'triton_model',
		source: { need: 'uri', uri: 'azureml://jobs/job-1/outputs/trained/paths/' },
		flavors: new Map([['python', new Map([['version', '3']])]]),
		stage: 'Production',
		description: 'all about it',
		tags: new Map([
			['owner', 'me'],
			['job', 'other'],
		]),
		properties: new Map([['p', 'q']]),
		dependencies: [],
		at: { file: 'model.yml' },
		...more,
	});

	test('gives what the inputs do not', async () => {
		site = await AssetSite.open();
		const { workspace, log, clock, checkout } = site;
		const parts = { workspace, publisher: site.publisher(), log, clock, checkout };
		const made = await registerModel({ file: file(), tags: { job: 'job-1' } }, parts);
		expect(made.assetId).toBe('azureml:from-file:1');
		expect(site.body('models/from-file/versions/1')).toMatchObject({
			modelType: 'triton_model',
			description: 'all about it',
			stage: 'Production',
			tags: { owner: 'me', job: 'job-1' },
			properties: { p: 'q' },
			flavors: { python: { data: { version: '3' } } },
		});
	});

	test('stands behind name, version and path of the inputs', async () => {
		site = await AssetSite.open();
		const made = await register({ name: 'mine', version: '7', path: 'runs:/r/m', file: file({ version: '2' }) });
		expect([made.assetId, made.uri, made.type]).toEqual(['azureml:mine:7', 'runs:/r/m', 'triton_model']);
	});
});

describe('versions', () => {
	const trained = () => job({ trained: { type: 'mlflow_model', ...withOutput('trained', 'MLmodel') } });

	test('the same output of the same job is registered once', async () => {
		site = await AssetSite.open();
		const first = await register({ job: trained() });
		// The service is free to resolve where a model comes from.
		const kept = site.resources.get('models/iris/versions/1');
		if (kept !== undefined) kept.properties['modelUri'] = 'azureml://subscriptions/s/…/resolved';
		const second = await register({ job: trained() });
		expect(second).toMatchObject({ version: first.version, reused: true });
		expect(site.lines(/PUT/)).toHaveLength(1);
		const other = await register({ job: { ...trained(), name: 'job-1' }, path: 'trained/MLmodel' });
		expect(other.version).toBe('2');
	});

	test('the same files are registered once by a workflow run, and again by another', async () => {
		site = await AssetSite.open({ 'model/weights.txt': 'w' });
		const once = (run: string) => register({ path: 'model', tags: { 'github.run_url': run } });
		expect(await once('https://github.com/o/r/actions/runs/1')).toMatchObject({ version: '1', reused: false });
		expect(await once('https://github.com/o/r/actions/runs/1')).toMatchObject({ version: '1', reused: true });
		expect(await once('https://github.com/o/r/actions/runs/2')).toMatchObject({ version: '2', reused: false });
		expect(await register({ path: 'model', tags: {} })).toMatchObject({ version: '3', reused: false });
	});

	test('two runs that register at the same time each get their own', async () => {
		site = await AssetSite.open();
		const both = await Promise.all([register({ path: 'runs:/a/m' }), register({ path: 'runs:/b/m' })]);
		expect(both.map(({ version }) => version).sort()).toEqual(['1', '2']);
		const uris = [...site.resources.values()].map(({ properties }) => properties['modelUri']);
		expect(uris.sort()).toEqual(['runs:/a/m', 'runs:/b/m']);
	});

	test('a number that another run took is not written over', async () => {
		site = await AssetSite.open();
		let others = 3;
		site.answer = ({ method, path }, below) => {
			if (method !== 'PUT' || !below.startsWith('models/') || others === 0) return undefined;
			others -= 1;
			site.add(below, { modelUri: 'of another run' });
			const error = { code: 'UserError', message: 'Asset paths cannot be updated.' };
			return { status: others % 2 === 0 ? 409 : 400, body: { error }, headers: { 'x-ms-request-id': path } };
		};
		await expect(register({ path: 'runs:/a/m' })).resolves.toMatchObject({ version: '4' });
		expect(site.resources.get('models/iris/versions/3')?.properties['modelUri']).toBe('of another run');
	});

	test('gives up after five', async () => {
		site = await AssetSite.open();
		site.answer = ({ method }, below) =>
			method === 'PUT' && below.startsWith('models/')
				? { status: 409, body: { error: { code: 'Conflict', message: 'exists' } } }
				: undefined;
		await expect(register({ path: 'runs:/a/m' })).rejects.toMatchObject({ status: 409 });
		expect(site.lines(/PUT/)).toHaveLength(5);
	});

	test('a given one is kept when it is the same, and refused when it is other', async () => {
		site = await AssetSite.open();
		await register({ path: 'runs:/a/m', version: '5' });
		await expect(register({ path: 'runs:/a/m', version: '5' })).resolves.toMatchObject({ reused: true });
		await expect(register({ path: 'runs:/b/m', version: '5' })).rejects.toThrow(
			"The model 'iris' has a version '5' already, and it is of other content.",
		);
		expect(site.lines(/PUT/)).toHaveLength(1);
	});
});

describe('findModel', () => {
	test('finds a version, or the newest', async () => {
		site = await AssetSite.open();
		site.add('models/iris/versions/1', { modelUri: 'runs:/a/m', modelType: 'mlflow_model' });
		site.add('models/iris/versions/2', { modelUri: 'runs:/b/m', modelType: 'custom_model' });
		await expect(findModel(site.workspace, 'iris', '1')).resolves.toMatchObject({
			assetId: 'azureml:iris:1',
			uri: 'runs:/a/m',
			type: 'mlflow_model',
			reused: true,
		});
		await expect(findModel(site.workspace, 'iris', 'latest')).resolves.toMatchObject({ version: '2' });
	});

	test('says what there is where it is not there', async () => {
		site = await AssetSite.open();
		site.add('models/iris/versions/1');
		await expect(findModel(site.workspace, 'iris', '3')).rejects.toThrow(/no model 'iris:3'.*Its versions: 1\./s);
		await expect(findModel(site.workspace, 'rose', 'latest')).rejects.toThrow("There is no model 'rose'");
	});
});
