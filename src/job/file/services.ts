// Interactive services of a job: SSH, JupyterLab, TensorBoard, VS Code.

import { type JsonObject, jsonObject, mapValues } from '../../json.ts';
import { mapping, type Reader } from '../../yaml/checks.ts';
import { integer, stringMap, text, word } from '../../yaml/values.ts';

const SERVICE_TYPES = {
	ssh: 'SSH',
	jupyter_lab: 'JupyterLab',
	tensor_board: 'TensorBoard',
	vs_code: 'VSCode',
} as const;

/** One interactive service of a job. */
export interface JobService {
	readonly type: keyof typeof SERVICE_TYPES | undefined;
	readonly port: number | undefined;
	/** True where the service runs on every node. */
	readonly allNodes: boolean;
	readonly properties: ReadonlyMap<string, string> | undefined;
	readonly logDir: string | undefined;
	readonly sshPublicKeys: string | undefined;
}

const serviceType = word('ssh', 'jupyter_lab', 'tensor_board', 'vs_code');

/** A reader of one job service. `job_service_type` is the older name of `type`. */
export const jobService: Reader<JobService> = mapping('a job service', (map) => {
	map.ignore('endpoint', 'status', 'error_message');
	const service: JobService = {
		type: map.optional('type', serviceType) ?? map.optional('job_service_type', serviceType),
		port: map.optional('port', integer),
		allNodes: map.optional('nodes', word('all')) !== undefined,
		properties: map.optional('properties', stringMap),
		logDir: map.optional('log_dir', text),
		sshPublicKeys: map.optional('ssh_public_keys', text),
	};
	const keys = service.sshPublicKeys ?? service.properties?.get('sshPublicKeys') ?? '';
	if (service.type === 'ssh' && keys.trim() === '') {
		const next = "Add 'ssh_public_keys' with the public key of whoever is to connect.";
		map.reading.fault(map.at, `A service of type ssh without public keys lets nobody in. ${next}`);
	}
	return service;
});

/** The service as the REST body of a job holds it. */
export function serviceBody(service: JobService): JsonObject {
	const properties = jsonObject({
		...mapValues(service.properties, (value) => value),
		logDir: service.logDir ?? service.properties?.get('logDir'),
		sshPublicKeys: service.sshPublicKeys ?? service.properties?.get('sshPublicKeys'),
	});
	return jsonObject({
		jobServiceType: service.type && SERVICE_TYPES[service.type],
		nodes: service.allNodes ? { nodesValueType: 'All' } : undefined,
		port: service.port,
		properties: Object.keys(properties).length > 0 ? properties : undefined,
	});
}
