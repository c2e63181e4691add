// Puts pipelines into an emulated workspace the way clients do: anonymous components first, then the job.

import { at, type Client, type Json, type Reply } from '../client.ts';

/** Puts an anonymous component and gives its id. */
export async function component(client: Client, spec: Json): Promise<string> {
	const put = await client.arm('PUT', '/components/azureml_anonymous/versions/put', {
		properties: {
			isAnonymous: true,
			isArchived: false,
			componentSpec: { type: 'command', _source: 'YAML.JOB', ...spec },
		},
	});
	if (put.status !== 201 && put.status !== 200) throw new Error(`component: ${put.status} ${put.text}`);
	return String(put.body['id']);
}

/** A component that runs a command, with types by the names of its ports. */
export function command(
	client: Client,
	text: string,
	ports: { inputs?: Json; outputs?: Json; [more: string]: unknown } = {},
): Promise<string> {
	const named = (given: Json | undefined) =>
		Object.fromEntries(
			Object.entries(given ?? {}).map(([name, port]) => [name, typeof port === 'string' ? { type: port } : port]),
		);
	const environment = `azureml:${client.workspace}/environments/python-stdlib/versions/1`;
	const { inputs, outputs, ...more } = ports;
	return component(client, { command: text, environment, inputs: named(inputs), outputs: named(outputs), ...more });
}

/** A binding of an input or output, as clients write it. */
export const bound = (expression: string): Json => ({ job_input_type: 'literal', value: `\${{${expression}}}` });

/** A node that runs a component. */
export const node = (componentId: string, inputs: Json = {}, outputs: Json = {}, more: Json = {}): Json => ({
	type: 'command',
	componentId,
	inputs,
	outputs,
	...more,
});

/** Puts a pipeline job. */
export function putPipeline(client: Client, name: string, jobs: Json, more: Json = {}): Promise<Reply> {
	const { settings, ...rest } = more;
	return client.arm('PUT', `/jobs/${name}`, {
		properties: {
			jobType: 'Pipeline',
			experimentName: 'pipes',
			inputs: {},
			outputs: {},
			jobs,
			settings: {
				default_compute: `${client.workspace}/computes/cpu-cluster`,
				_source: 'YAML.JOB',
				...(settings as Json | undefined),
			},
			...rest,
		},
	});
}

/** The properties of a job. */
export async function job(client: Client, name: string): Promise<Json> {
	return at((await client.arm('GET', `/jobs/${name}`)).body, 'properties') as Json;
}
