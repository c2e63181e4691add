// Takes one file of any kind through reader and body into an imagined workspace.
import path from 'node:path';
import { readWorkspaceFile, workspaceBody } from '../../../src/asset/apply-workspace-file.ts';
import { componentBody } from '../../../src/asset/component-file.ts';
import { computeBody, readComputeFile } from '../../../src/asset/compute-file.ts';
import { dataBody, readDataFile } from '../../../src/asset/data-file.ts';
import { datastoreBody, readDatastoreFile } from '../../../src/asset/datastore-file.ts';
import { environmentBody, readEnvironmentFile } from '../../../src/asset/environment-file.ts';
import { modelBody, readModelFile } from '../../../src/asset/model-file.ts';
import { batchDeploymentBody, readBatchDeployment } from '../../../src/endpoint/batch-deployment-file.ts';
import { batchEndpointBody, readBatchEndpoint } from '../../../src/endpoint/batch-file.ts';
import { onlineDeploymentBody, readOnlineDeployment } from '../../../src/endpoint/online-deployment-file.ts';
import { onlineEndpointBody, readOnlineEndpoint } from '../../../src/endpoint/online-file.ts';
import { nodeComponent, readComponentFile } from '../../../src/job/file/component.ts';
import { jobBody, readJobFile } from '../../../src/job/file/index.ts';
import type { Warn } from '../../../src/yaml/checks.ts';
import { openYaml } from '../../../src/yaml/load.ts';
import type { YamlFile } from '../../../src/yaml/node.ts';
import { type ImaginedWorkspace, WORKSPACE } from './imagined-publish.ts';

type Translate = (file: YamlFile, workspace: ImaginedWorkspace, warn?: Warn) => void;

const LOCATION = 'eastus';

function endpointContext(workspace: ImaginedWorkspace): {
	workspaceId: string;
	location: string;
	idOf: ImaginedWorkspace['idOf'];
} {
	return { workspaceId: WORKSPACE, location: LOCATION, idOf: workspace.idOf };
}

const KINDS: Readonly<Record<string, Translate>> = {
	job: (file, workspace, warn) => {
		const job = readJobFile(file, warn);
		workspace.publish(job.dependencies);
		const name = job.name ?? '<generated-name>';
		const experimentName = path.basename(file.folder).split('.')[0] ?? '';
		const body = jobBody(job, { workspaceId: WORKSPACE, idOf: workspace.idOf, name, experimentName });
		workspace.put(`jobs/${name}`, { ...body });
	},
	environment: (file, workspace, warn) => {
		const environment = readEnvironmentFile(file, warn);
		workspace.publish(environment.dependencies);
		const body = environmentBody(environment, workspace.idOf, false);
		workspace.put(`environments/${environment.name}/versions/${environment.version ?? '8'}`, body);
	},
	component: (file, workspace, warn) => {
		const component = readComponentFile(file, warn);
		workspace.publish(component.dependencies);
		const version = component.version ?? '8';
		const body = componentBody(component, { workspaceId: WORKSPACE, idOf: workspace.idOf }, false, version);
		workspace.put(`components/${component.name}/versions/${version}`, body);
	},
	compute: (file, workspace, warn) => {
		const compute = readComputeFile(file, warn);
		workspace.put(`computes/${compute.name}`, computeBody(compute, { workspaceId: WORKSPACE, location: LOCATION }));
	},
	data: (file, workspace, warn) => {
		const data = readDataFile(file, warn);
		workspace.publish(data.dependencies);
		workspace.put(`data/${data.name}/versions/${data.version ?? '8'}`, dataBody(data, workspace.idOf));
	},
	model: (file, workspace, warn) => {
		const model = readModelFile(file, warn);
		workspace.publish(model.dependencies);
		const body = modelBody(model, WORKSPACE, workspace.idOf, false);
		workspace.put(`models/${model.name}/versions/${model.version ?? '8'}`, body);
	},
	datastore: (file, workspace, warn) => {
		const datastore = readDatastoreFile(file, warn);
		workspace.put(`datastores/${datastore.name}`, datastoreBody(datastore));
	},
	workspace: (file, workspace, warn) => {
		const read = readWorkspaceFile(file, undefined, warn);
		workspace.put('', workspaceBody(read));
	},
	'batch-endpoint': (file, workspace, warn) => {
		const endpoint = readBatchEndpoint(file, warn);
		workspace.put(`batchEndpoints/${endpoint.name}`, batchEndpointBody(endpoint, { location: LOCATION }));
	},
	'batch-deployment': (file, workspace, warn) => {
		const deployment = readBatchDeployment(
			file,
			warn,
			(node, reading) => nodeComponent(node, reading, 'pipeline').dependency,
		);
		workspace.publish(deployment.dependencies);
		const body = batchDeploymentBody(deployment, endpointContext(workspace));
		workspace.put(`batchEndpoints/${deployment.endpointName}/deployments/${deployment.name}`, body);
	},
	'online-endpoint': (file, workspace, warn) => {
		const endpoint = readOnlineEndpoint(file, warn);
		workspace.put(`onlineEndpoints/${endpoint.name}`, onlineEndpointBody(endpoint, endpointContext(workspace)));
	},
	'online-deployment': (file, workspace, warn) => {
		const deployment = readOnlineDeployment(file, warn);
		workspace.publish(deployment.dependencies);
		const body = onlineDeploymentBody(deployment, endpointContext(workspace));
		workspace.put(`onlineEndpoints/${deployment.endpointName}/deployments/${deployment.name}`, body);
	},
};

/** Reads a file as the given kind of golden and puts all its requests into the workspace. */
export function translate(kind: string, yaml: string, workspace: ImaginedWorkspace): void {
	translateFile(kind, openYaml(yaml, path.basename(yaml)), workspace);
}

/** The same of a file that has been opened. */
export function translateFile(kind: string, file: YamlFile, workspace: ImaginedWorkspace, warn?: Warn): void {
	const run = KINDS[kind.split(':')[0] ?? ''];
	if (run === undefined) {
		throw new Error(`No translation for ${kind}.`);
	}
	run(file, workspace, warn);
}
