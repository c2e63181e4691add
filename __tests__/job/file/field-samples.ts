// Values for the fields of a schema, and the least files to put them into. What becomes of them is field-probe.ts's.

/** A field as the lists of fields describe it. */
export interface Field {
	readonly kind: string;
	readonly required?: boolean;
	readonly read_only?: boolean;
	readonly schema?: string;
	readonly allowed?: readonly string[];
	readonly any_of?: readonly Field[];
	readonly values?: Field;
	readonly items?: Field;
}

/** Schemas by name, each with its fields. */
export type Schemas = Readonly<Record<string, { readonly fields: Readonly<Record<string, Field>> }>>;

/** A value of a file. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };

const COMMAND: { readonly [key: string]: Value } = { command: 'echo', environment: 'azureml:e:1' };
const CONF = {
	'spark.driver.cores': 1,
	'spark.driver.memory': '2g',
	'spark.executor.cores': 1,
	'spark.executor.memory': '2g',
	'spark.executor.instances': 1,
};
const SPARK: { readonly [key: string]: Value } = { code: './src', entry: { file: 'main.py' }, conf: CONF };
const SPARK_POOL: { readonly [key: string]: Value } = { instance_type: 'standard_e4s_v3', runtime_version: '3.4' };
const SWEEP: { readonly [key: string]: Value } = {
	search_space: { x: { type: 'choice', values: [1] } },
	sampling_algorithm: 'random',
	objective: { goal: 'minimize', primary_metric: 'm' },
	limits: { max_total_trials: 1 },
};
const automl = (task: string, more: Record<string, Value> = {}): Value => ({
	type: 'automl',
	task,
	compute: 'azureml:c',
	target_column_name: 'y',
	training_data: { type: 'mltable', path: 'azureml:d:1' },
	...more,
});
const node = (own: Record<string, Value>): Value => ({ type: 'pipeline', jobs: { n: own } });
const RUN: { readonly [key: string]: Value } = {
	type: 'run_function',
	code: './src',
	entry_script: 'main.py',
	environment: 'azureml:e:1',
};
const ONLINE = { name: 'blue', endpoint_name: 'endpoint', model: 'azureml:m:1' };
const CLUSTER = '/subscriptions/s/resourceGroups/g/providers/x/y/z';

/** The least files of each root. Of a root that has several, one is enough to take a field. */
export const FILES: Readonly<Record<string, readonly Value[]>> = {
	'job:command': [{ type: 'command', compute: 'azureml:c', ...COMMAND }],
	'job:sweep': [{ type: 'sweep', compute: 'azureml:c', trial: COMMAND, ...SWEEP }],
	'job:pipeline': [node({ type: 'command', component: 'azureml:c:1' }), { type: 'pipeline' }],
	'job:spark': [
		{ type: 'spark', ...SPARK, resources: SPARK_POOL },
		{ type: 'spark', ...SPARK },
	],
	'job:automl classification': [automl('classification')],
	'job:automl regression': [automl('regression')],
	'job:automl forecasting': [automl('forecasting', { forecasting: { time_column_name: 't' } })],
	'job:automl image_classification': [automl('image_classification')],
	'job:automl image_classification_multilabel': [automl('image_classification_multilabel')],
	'job:automl image_object_detection': [automl('image_object_detection')],
	'job:automl image_instance_segmentation': [automl('image_instance_segmentation')],
	'job:automl text_classification': [automl('text_classification')],
	'job:automl text_classification_multilabel': [automl('text_classification_multilabel')],
	'job:automl text_ner': [automl('text_ner')],
	'component:command': [{ type: 'command', name: 'c', version: '1', ...COMMAND }],
	'component:parallel': [{ type: 'parallel', name: 'c', version: '1', task: RUN }],
	'component:spark': [{ type: 'spark', name: 'c', version: '1', ...SPARK }],
	'component:pipeline': [
		{ type: 'pipeline', name: 'c', version: '1', jobs: { n: { type: 'command', component: 'azureml:c:1' } } },
	],
	'component:data_transfer': [
		{
			type: 'data_transfer',
			task: 'copy_data',
			name: 'c',
			version: '1',
			inputs: { a: { type: 'uri_folder' } },
			outputs: { b: { type: 'uri_folder' } },
		},
	],
	environment: [
		{ name: 'e', version: '1', image: 'i' },
		{ name: 'e', version: '1', build: { path: './src' } },
	],
	data: [{ name: 'd', version: '1', path: 'azureml://datastores/x/paths/y' }],
	model: [{ name: 'm', version: '1', path: 'azureml://datastores/x/paths/y' }],
	'compute:amlcompute': [
		{ name: 'c', type: 'amlcompute' },
		{ name: 'c', type: 'amlcompute', network_settings: { vnet_name: 'v', subnet: 's' } },
	],
	'compute:computeinstance': [
		{ name: 'c', type: 'computeinstance' },
		{ name: 'c', type: 'computeinstance', network_settings: { vnet_name: 'v', subnet: 's' } },
	],
	'compute:kubernetes': [{ name: 'c', type: 'kubernetes', resource_id: CLUSTER }],
	'compute:synapsespark': [{ name: 'c', type: 'synapsespark', resource_id: CLUSTER }],
	'compute:virtualmachine': [{ name: 'c', type: 'virtualmachine', resource_id: CLUSTER }],
	'online-endpoint:managed': [{ name: 'endpoint' }],
	'online-endpoint:kubernetes': [{ name: 'endpoint', compute: 'azureml:c' }],
	'online-deployment:managed': [{ ...ONLINE, instance_type: 'x', instance_count: 1 }],
	'online-deployment:kubernetes': [{ ...ONLINE, type: 'kubernetes', instance_count: 1 }],
	'batch-endpoint': [{ name: 'endpoint' }],
	'batch-deployment': [{ name: 'dep', endpoint_name: 'endpoint', model: 'azureml:m:1', compute: 'azureml:c' }],
	'batch-deployment:model': [
		{ name: 'dep', endpoint_name: 'endpoint', type: 'model', model: 'azureml:m:1', compute: 'azureml:c' },
	],
	'batch-deployment:pipeline': [
		{ name: 'dep', endpoint_name: 'endpoint', type: 'pipeline', component: 'azureml:c:1' },
		{ name: 'dep', endpoint_name: 'endpoint', type: 'pipeline' },
	],
	'datastore:blob': [{ name: 'd', type: 'azure_blob', account_name: 'acc', container_name: 'con' }],
	'datastore:gen2': [{ name: 'd', type: 'azure_data_lake_gen2', account_name: 'acc', filesystem: 'f' }],
	'datastore:file': [{ name: 'd', type: 'azure_file', account_name: 'acc', file_share_name: 'f' }],
	'datastore:gen1': [{ name: 'd', type: 'azure_data_lake_gen1', store_name: 's' }],
	'datastore:onelake': [
		{
			name: 'd',
			type: 'one_lake',
			one_lake_workspace_name: 'w',
			endpoint: 'onelake.dfs.fabric.microsoft.com',
			artifact: { name: 'a', type: 'lake_house' },
		},
	],
	workspace: [{ name: 'w' }],
};

/** The nodes of a pipeline by the schema of each, which the roots do not name. */
export const NODES: Readonly<Record<string, readonly Value[]>> = {
	CommandSchema: [node({ type: 'command', component: './component.yml' })],
	PipelineCommandJobSchema: [node({ type: 'command', ...COMMAND })],
	SweepSchema: [node({ type: 'sweep', trial: './component.yml', ...SWEEP })],
	ParallelSchema: [node({ type: 'parallel', component: 'azureml:c:1' })],
	PipelineParallelJobSchema: [node({ type: 'parallel', task: RUN })],
	SparkSchema: [node({ type: 'spark', component: 'azureml:c:1' })],
	PipelineSparkJobSchema: [node({ type: 'spark', ...SPARK, resources: SPARK_POOL }), node({ type: 'spark', ...SPARK })],
	PipelineSchema: [node({ type: 'pipeline', component: 'azureml:c:1' })],
	AutoMLClassificationNodeSchema: [node(automl('classification') as Record<string, Value>)],
	ImageObjectDetectionNodeSchema: [node(automl('image_object_detection') as Record<string, Value>)],
	AutoMLTextClassificationNode: [node(automl('text_classification') as Record<string, Value>)],
	DataTransferCopySchema: [node({ type: 'data_transfer', task: 'copy_data', component: './copy.yml' })],
	PipelineDataTransferImportJobSchema: [
		node({
			type: 'data_transfer',
			task: 'import_data',
			source: { type: 'database', connection: 'azureml:db', query: 'q' },
			outputs: { sink: { type: 'mltable' } },
		}),
	],
	PipelineDataTransferExportJobSchema: [
		node({
			type: 'data_transfer',
			task: 'export_data',
			sink: { type: 'database', connection: 'azureml:db', table_name: 't' },
			inputs: { source: { type: 'uri_file', path: 'azureml:d:1' } },
		}),
	],
};

/** What a mapping needs besides what its schema says that it requires. */
const LEAST: Readonly<Record<string, { readonly [key: string]: Value }>> = {
	AnonymousEnvironmentSchema: { image: 'i' },
	AnonymousModelSchema: { path: 'azureml://datastores/x/paths/y' },
	AnonymousCommandComponentSchema: { type: 'command', ...COMMAND },
	AnonymousParallelComponentSchema: { type: 'parallel', task: RUN },
	AnonymousSparkComponentSchema: { type: 'spark', ...SPARK },
	AnonymousDataTransferCopyComponentSchema: {
		type: 'data_transfer',
		task: 'copy_data',
		inputs: { a: { type: 'uri_folder', optional: true } },
		outputs: { b: { type: 'uri_folder' } },
	},
	BanditPolicySchema: { type: 'bandit', slack_factor: 1 },
	MedianStoppingPolicySchema: { type: 'median_stopping' },
	TruncationSelectionPolicySchema: { type: 'truncation_selection', truncation_percentage: 3 },
	RandomSamplingAlgorithmSchema: { type: 'random' },
	CodeConfigurationSchema: { code: './src', scoring_script: 'main.py' },
	ComponentParallelTaskSchema: RUN,
	ComputeStartStopScheduleSchema: { action: 'stop', trigger: { type: 'cron', expression: '0 1 * * *' } },
	CreateOnBehalfOfSchema: { user_object_id: 'o', user_tenant_id: 't' },
	CustomApplicationsSchema: {
		type: 'docker',
		name: 'n',
		image: { reference: 'r' },
		endpoints: [{ target: 1, published: 2 }],
	},
	CustomerManagedKeySchema: { key_vault: 'v', key_uri: 'u' },
	DataAssetSchema: { name: 'n' },
	DataCollectorSchema: { collections: { a: { enabled: 'True' } } },
	DataInputSchema: { path: 'azureml:d:1' },
	MLTableInputSchema: { path: 'azureml:d:1', type: 'mltable' },
	ModelInputSchema: { path: 'azureml:d:1', type: 'mlflow_model' },
	DatabaseSchema: { type: 'database', connection: 'azureml:db', query: 'q' },
	FileSystemSchema: { type: 'file_system', connection: 'azureml:fs', path: 'p' },
	EndpointsSettingsSchema: { target: 1, published: 2 },
	VolumeSettingsSchema: { source: '/a', target: '/b' },
	IdentitySchema: { type: 'user_assigned', user_assigned_identities: [{ resource_id: CLUSTER }] },
	ImageSweepSettingsSchema: { sampling_algorithm: 'grid' },
	NlpSweepSettingsSchema: { sampling_algorithm: 'grid' },
	NetworkSettingsSchema: { vnet_name: 'v', subnet: 's' },
	OutputSchema: { type: 'uri_folder', name: 'n' },
	ParameterSchema: { type: 'integer' },
	ParameterizedCommandSchema: COMMAND,
	SparkEntryFileSchema: { file: 'main.py' },
	SparkResourceConfigurationSchema: SPARK_POOL,
	SparkResourceConfigurationForNodeSchema: SPARK_POOL,
	StoredProcedureParamsSchema: { name: 'n', value: 'v', type: 'String' },
	UserAssignedIdentitySchema: { resource_id: CLUSTER },
};

/** Values that fit a field by its name, where its kind says too little. */
const BY_NAME: Readonly<Record<string, readonly Value[]>> = {
	code: ['./src'],
	additional_includes: [['./data']],
	conda_file: [{ name: 'x', dependencies: ['python'] }],
	scoring_script: ['main.py'],
	entry_script: ['main.py'],
	component: ['azureml:other:2', './component.yml', './pipeline.yml'],
	trial: ['azureml:other:2', COMMAND],
	job_definition: ['azureml:job_1'],
	settings: [{ default_compute: 'azureml:other' }, { mini_batch_size: 3 }, { continue_on_step_failure: 'x' }],
	defaults: [{ deployment_name: 'blue' }],
	limits: [{ max_trials: 7 }, { timeout: 90 }, { max_total_trials: 9 }],
	conf: [{ ...CONF, 'spark.executor.cores': 5 }],
	entry: [{ file: './other.py' }],
	flavors: [{ f: { k: 'v' } }],
	build: [{ path: './table' }],
	training_data: [{ type: 'mltable', path: 'azureml:other:1' }],
	validation_data: [{ type: 'mltable', path: 'azureml:other:1' }],
	test_data: [{ type: 'mltable', path: 'azureml:other:1' }],
	jobs: [{ m: { type: 'command', component: 'azureml:c:2' } }],
	name: ['another-one', 'another'],
	private_network_connection: [true],
	min: [1],
	max: [9],
	compute_start_stop: [[{ action: 'stop', trigger: { type: 'cron', expression: '0 1 * * *' } }]],
	expression: ['0 12 * * *'],
	shm_size: ['3g'],
	docker_args: ['-x', ['-x']],
	runtime_version: ['3.3'],
	cpu: ['1'],
	memory: ['1Gi'],
	mini_batch_size: [7, '7', '1kb'],
	sampling_rate: [0.5],
	enabled: [false, true],
	auth_mode: ['aml_token', 'aad_token'],
	account_key: ['a2V5'],
	job_service_type: ['ssh'],
	ssh_private_key_file: ['./src/main.py'],
	path: ['./src/main.py', './src', './table', 'azureml://datastores/z/paths/w', 'azureml:d:2', './'],
	task: [{ ...RUN, program_arguments: '-x' }],
	properties: [{ k: 'v' }],
	datastore: ['azureml:store'],
	traffic: [{ blue: 10 }],
	mirror_traffic: [{ green: 10 }],
};

/** Values of a field, a few at the most. The first fits best. */
export function samplesOf(name: string, field: Field, schemas: Schemas, depth = 0): readonly Value[] {
	const own = BY_NAME[name] ?? [];
	const allowed = field.allowed ?? [];
	return [...own, ...allowed, ...byKind(name, field, schemas, depth)].slice(0, 40);
}

function byKind(name: string, field: Field, schemas: Schemas, depth: number): readonly Value[] {
	if (depth > 4) {
		return [];
	}
	switch (field.kind) {
		case 'Boolean':
			return [true, false];
		case 'Integer':
		case 'DumpableIntegerField':
		case 'Number':
			return [30, 2];
		case 'Float':
		case 'DumpableFloatField':
			return [0.5, 2];
		case 'Dict':
			return (field.values === undefined ? ['v'] : samplesOf('', field.values, schemas, depth + 1))
				.slice(0, 8)
				.map((one) => ({ k: one }));
		case 'List':
			return (field.items === undefined ? ['v'] : samplesOf('', field.items, schemas, depth + 1))
				.slice(0, 8)
				.map((one) => [one]);
		case 'NestedField':
		case 'Nested':
			return [leastOf(field.schema ?? '', schemas, depth)];
		case 'ArmVersionedStr':
			return ['azureml:thing:3'];
		case 'ArmStr':
			return ['azureml:thing'];
		case 'LocalPathField':
			return ['./src', './src/main.py'];
		case 'DataBindingStr':
		case 'OutputBindingStr':
			return [];
		default:
			return field.any_of === undefined
				? ['text', '3', `azureml://registries/r/environments/e/versions/1`]
				: field.any_of.flatMap((one) => samplesOf(name, one, schemas, depth + 1));
	}
}

/** The least mapping of a schema: what it requires. */
export function leastOf(schema: string, schemas: Schemas, depth = 0): { readonly [key: string]: Value } {
	const required = Object.entries(schemas[schema]?.fields ?? {}).filter(([, field]) => field.required === true);
	const known = LEAST[schema];
	if (known !== undefined) {
		return known;
	}
	return Object.fromEntries(
		required.flatMap(([key, field]) => {
			const [first] = samplesOf(key, field, schemas, depth + 1);
			return first === undefined ? [] : [[key, first] as const];
		}),
	);
}
