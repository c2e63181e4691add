// Programs that log metrics of their own choosing, and how the models of an emulated workspace are read.
import type { AzureClient } from './azure-client.ts';

/** A program that logs these metrics (a number, or the text that stands for one) over MLflow and writes a model. */
export function logging(metrics: Readonly<Record<string, number | string>>): string {
	return [
		'import json, os, pathlib, sys, time, urllib.request',
		`metrics = json.loads(${JSON.stringify(JSON.stringify(metrics))})`,
		'entries = [{"key": k, "value": v, "timestamp": int(time.time() * 1000), "step": 0} for k, v in metrics.items()]',
		'body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "metrics": entries}).encode()',
		'url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-batch"',
		'urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})).close()',
		'if len(sys.argv) > 1:',
		'    folder = pathlib.Path(sys.argv[1])',
		'    folder.mkdir(parents=True, exist_ok=True)',
		"    (folder / 'model.txt').write_text('42')",
	].join('\n');
}

/** A version of a model as the workspace holds it. */
export interface ModelRecord {
	readonly version: string;
	readonly tags: Readonly<Record<string, string>>;
	readonly uri: string;
}

/** The versions of a model, oldest first; none where there is no such model. */
export async function versionsOf(client: AzureClient, model: string): Promise<readonly ModelRecord[]> {
	const { value = [] } = (await client.get(`/models/${model}/versions`).catch(() => ({ value: [] }))) as {
		value?: { name: string; properties: { tags: Record<string, string>; modelUri: string } }[];
	};
	return value.map(({ name, properties: { tags, modelUri } }) => ({ version: name, tags, uri: modelUri })).reverse();
}
