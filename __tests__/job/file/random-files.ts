// Random files that the CLI takes, by kind, as plain values: JSON is YAML too. Their places are those of a folder with
// `src/main.py` and `data/d.csv` in it.
import fc, { type Arbitrary } from 'fast-check';

type Members = Record<string, Arbitrary<unknown>>;

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const text = fc.string({ minLength: 1, maxLength: 20 }).filter((one) => /\w/.test(one) && !one.startsWith('azureml:'));
const version = fc.integer({ min: 1, max: 99 }).map(String);
const count = fc.integer({ min: 1, max: 50 });
const texts = fc.dictionary(word, text, { maxKeys: 3 });
const asset = fc.tuple(word, version).map(([name, one]) => `azureml:${name}:${one}`);
const compute = word.map((one) => `azureml:${one}`);

/** A mapping with all of the first members and any of the second ones. */
function mapping(needed: Members, more: Members): Arbitrary<Record<string, unknown>> {
	return fc.record({ ...needed, ...more }, { requiredKeys: Object.keys(needed) });
}

const environment = fc.oneof(
	asset,
	fc.constant('azureml:AzureML-sklearn-1.0@latest'),
	word.map((image) => ({ image: `mcr.microsoft.com/${image}:1` })),
);
const data = mapping(
	{
		type: fc.constantFrom('uri_file', 'uri_folder'),
		path: fc.constantFrom('azureml:d:1', 'azureml://datastores/s/paths/p', 'https://x/y'),
	},
	{ mode: fc.constantFrom('ro_mount', 'download') },
);
const input = fc.oneof(text, fc.integer(), fc.boolean(), data, fc.constant({ type: 'uri_folder', path: './data' }));
const output = mapping(
	{},
	{ type: fc.constantFrom('uri_folder', 'mlflow_model'), mode: fc.constantFrom('rw_mount', 'upload') },
);
const ports = {
	inputs: fc.dictionary(word, input, { maxKeys: 3 }),
	outputs: fc.dictionary(
		word.filter((one) => one !== 'default'),
		output,
		{ maxKeys: 2 },
	),
};
const resources = mapping({}, { instance_count: count, instance_type: word, shm_size: count.map((one) => `${one}g`) });
const distribution = fc.oneof(
	mapping({ type: fc.constant('pytorch') }, { process_count_per_instance: count }),
	mapping({ type: fc.constant('mpi') }, { process_count_per_instance: count }),
	mapping({ type: fc.constant('tensorflow') }, { worker_count: count, parameter_server_count: count }),
);
const facts = { description: text, display_name: text, experiment_name: word, tags: texts, properties: texts };
const identity = fc.constantFrom(
	{ type: 'user_identity' },
	{ type: 'aml_token' },
	{ type: 'managed', client_id: '11111111-2222-3333-4444-555555555555' },
);
const run = { command: text.map((one) => `echo ${one.replace(/[{}$]/g, '')}`), environment };
const runMore = { code: fc.constant('./src'), resources, distribution, environment_variables: texts };
const queue = mapping({}, { job_tier: fc.constantFrom('spot', 'basic', 'standard', 'premium') });
const parameter = fc.oneof(
	fc.array(count, { minLength: 1, maxLength: 3 }).map((values) => ({ type: 'choice', values })),
	fc.tuple(count, count).map(([min_value, max_value]) => ({ type: 'uniform', min_value, max_value })),
	fc.tuple(count, count).map(([mu, sigma]) => ({ type: 'normal', mu, sigma })),
);
const conf = fc.constant({
	'spark.driver.cores': 1,
	'spark.driver.memory': '2g',
	'spark.executor.cores': 2,
	'spark.executor.memory': '2g',
	'spark.executor.instances': 1,
});
const named = { name: word, version };
const inference = mapping({}, { request_timeout_ms: count, max_concurrent_requests_per_instance: count });
const probe = mapping({}, { initial_delay: count, period: count, timeout: count, failure_threshold: count });
const endpointName = fc.stringMatching(/^[a-z][a-z0-9]{3,10}$/);

const GUID = '11111111-2222-3333-4444-555555555555';
const arm = (below: string): Arbitrary<string> =>
	word.map((name) => `/subscriptions/${GUID}/resourceGroups/rg/providers/Microsoft.${below}/${name}`);
const resourceIdentity = fc.oneof(
	fc.constant({ type: 'system_assigned' }),
	arm('ManagedIdentity/userAssignedIdentities').map((id) => ({
		type: 'user_assigned',
		user_assigned_identities: [{ resource_id: id }],
	})),
);
const signIn = { tenant_id: fc.constant(GUID), client_id: fc.constant(GUID) };
const authority = {
	authority_url: fc.constant('https://login.example'),
	resource_url: fc.constant('https://x.example'),
};
const principal = mapping({ ...signIn, client_secret: word }, authority);
const credentials = fc.oneof(
	fc.record({ account_key: word }),
	fc.record({ sas_token: word.map((one) => `?sv=1&sig=${one}`) }),
	principal,
	mapping({ ...signIn, thumbprint: word, certificate: word }, authority),
);

/** A datastore of one type, in a place that its members tell. */
function datastore(type: string, place: Members, more: Members = {}): Arbitrary<Record<string, unknown>> {
	return mapping({ name: word, type: fc.constant(type), ...place }, { description: text, tags: texts, ...more });
}
const account = { account_name: word };
const reached = { endpoint: fc.constant('core.usgovcloudapi.net'), protocol: fc.constantFrom('http', 'https') };
const datastores = fc.oneof(
	datastore('azure_blob', { ...account, container_name: word }, { ...reached, credentials }),
	datastore('azure_file', { ...account, file_share_name: word, credentials }, reached),
	datastore('azure_data_lake_gen2', { ...account, filesystem: word }, { ...reached, credentials: principal }),
	datastore('azure_data_lake_gen1', { store_name: word }, { credentials: principal }),
	datastore(
		'one_lake',
		{
			one_lake_workspace_name: word,
			endpoint: fc.constant('onelake.dfs.fabric.microsoft.com'),
			artifact: mapping({ name: word }, { type: fc.constant('lake_house') }),
		},
		{ credentials: principal },
	),
);

/** A generator of valid files for each kind. */
export const RANDOM: Readonly<Record<string, Arbitrary<Record<string, unknown>>>> = {
	'job:command': mapping(
		{ type: fc.constant('command'), ...run },
		{
			compute,
			...facts,
			...ports,
			...runMore,
			identity,
			limits: mapping({}, { timeout: count }),
			queue_settings: queue,
		},
	),
	'job:sweep': mapping(
		{
			type: fc.constant('sweep'),
			trial: mapping(run, runMore),
			search_space: fc.dictionary(word, parameter, { minKeys: 1, maxKeys: 3 }),
			sampling_algorithm: fc.constantFrom('random', 'grid', 'bayesian'),
			objective: mapping({ goal: fc.constantFrom('minimize', 'maximize'), primary_metric: word }, {}),
			limits: mapping({ max_total_trials: count }, { max_concurrent_trials: count, timeout: count }),
		},
		{
			compute,
			...facts,
			...ports,
			early_termination: fc.constant({ type: 'median_stopping', evaluation_interval: 1 }),
		},
	),
	'job:pipeline': mapping(
		{
			type: fc.constant('pipeline'),
			jobs: fc.dictionary(
				word,
				mapping({ type: fc.constant('command'), ...run }, { ...runMore, inputs: ports.inputs }),
				{
					minKeys: 1,
					maxKeys: 3,
				},
			),
		},
		{ ...facts, ...ports, settings: mapping({}, { default_compute: compute, continue_on_step_failure: fc.boolean() }) },
	),
	'job:spark': mapping(
		{
			type: fc.constant('spark'),
			code: fc.constant('./src'),
			entry: fc.constant({ file: 'main.py' }),
			conf,
			resources: fc.constant({ instance_type: 'standard_e4s_v3', runtime_version: '3.4' }),
		},
		{ ...facts, args: word, py_files: fc.array(word, { maxLength: 2 }), environment },
	),
	'job:automl': mapping(
		{
			type: fc.constant('automl'),
			task: fc.constantFrom('classification', 'image_classification'),
			primary_metric: fc.constant('accuracy'),
			target_column_name: word,
			training_data: fc.constant({ type: 'mltable', path: 'azureml:t:1' }),
		},
		{
			compute,
			...facts,
			limits: mapping({}, { max_trials: count, timeout_minutes: count }),
		},
	),
	environment: mapping(
		{ ...named, image: word },
		{ description: text, tags: texts, os_type: fc.constantFrom('linux', 'windows') },
	),
	data: mapping(
		{ ...named, path: fc.constantFrom('azureml://datastores/s/paths/p', './data') },
		{ description: text, tags: texts },
	),
	model: mapping(
		{ ...named, path: fc.constantFrom('azureml://jobs/j/outputs/o/paths/p', './data') },
		{
			type: fc.constantFrom('custom_model', 'mlflow_model', 'triton_model'),
			description: text,
			tags: texts,
			properties: texts,
		},
	),
	component: mapping(
		{ type: fc.constant('command'), ...named, ...run },
		{
			code: fc.constant('./src'),
			distribution,
			resources,
			description: text,
			display_name: text,
			is_deterministic: fc.boolean(),
			outputs: fc.constant({ o: { type: 'uri_folder' } }),
		},
	),
	compute: mapping(
		{ name: word, type: fc.constant('amlcompute') },
		{
			size: word,
			min_instances: count,
			max_instances: count,
			idle_time_before_scale_down: count,
			tier: fc.constantFrom('dedicated', 'low_priority'),
			tags: texts,
		},
	),
	'online-endpoint': mapping(
		{ name: endpointName },
		{
			auth_mode: fc.constantFrom('key', 'aml_token', 'aad_token'),
			description: text,
			tags: texts,
			public_network_access: fc.constantFrom('enabled', 'disabled'),
		},
	),
	'online-deployment': mapping(
		{ name: endpointName, endpoint_name: endpointName, model: asset, instance_type: word, instance_count: count },
		{
			environment: asset,
			request_settings: inference,
			liveness_probe: probe,
			readiness_probe: probe,
			environment_variables: texts,
			app_insights_enabled: fc.boolean(),
		},
	),
	'batch-deployment': mapping(
		{ name: endpointName, endpoint_name: endpointName, model: asset, compute },
		{
			mini_batch_size: count,
			error_threshold: count,
			output_action: fc.constantFrom('append_row', 'summary_only'),
			retry_settings: mapping({}, { max_retries: count, timeout: count }),
			resources: mapping({ instance_count: count }, {}),
		},
	),
	'batch-endpoint': mapping(
		{ name: endpointName },
		{
			auth_mode: fc.constant('aad_token'),
			description: text,
			tags: texts,
			properties: texts,
			defaults: fc.record({ deployment_name: endpointName }),
			identity: resourceIdentity,
		},
	),
	datastore: datastores,
	workspace: mapping(
		{ name: word },
		{
			location: word,
			display_name: text,
			description: text,
			tags: texts,
			storage_account: arm('Storage/storageAccounts'),
			key_vault: arm('KeyVault/vaults'),
			application_insights: arm('Insights/components'),
			container_registry: arm('ContainerRegistry/registries'),
			hbi_workspace: fc.boolean(),
			image_build_compute: word,
			public_network_access: fc.constantFrom('Enabled', 'Disabled'),
			identity: resourceIdentity,
			customer_managed_key: fc.record({ key_vault: arm('KeyVault/vaults'), key_uri: word }),
		},
	),
};
