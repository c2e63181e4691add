// The `compute` that a workflow gives in place of the file's own.
import { asText, child } from '../../yaml/checks.ts';
import type { YamlFile } from '../../yaml/node.ts';
import { applySet } from '../../yaml/set.ts';

/**
 * Gives a job file with another compute: `azureml:<name>`, a bare name, an ARM id, or `serverless`. In a pipeline that is
 * the default compute of its nodes; nodes that name their own keep it.
 */
export function withCompute(file: YamlFile, compute: string): YamlFile {
	const pipeline =
		asText(child(file.root, 'type'))?.text.toLowerCase() === 'pipeline' || child(file.root, 'jobs') !== undefined;
	return applySet(file, [`${pipeline ? 'settings.default_compute' : 'compute'}=${compute}`]);
}
