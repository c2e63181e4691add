// Scripts that jobs of the tests run, and what the tests read of runs.

import { at, type Client, type Json, type Reply } from '../client.ts';

/** Logs `score` over MLflow: one value for each argument, in order. */
export const LOG_SCORES = `
import json, os, sys, urllib.request

def log(step, value):
    body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "score", "value": value, "timestamp": 1700000000000, "step": step}
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}))

for step, value in enumerate(sys.argv[1:]):
    log(step, float(value))
`;

/** Run history's details of a run. */
export function details(client: Client, run: string): Promise<Reply> {
	return client.data('GET', 'history/v1.0', `/runs/${run}/details`);
}

/** The children of a run, over all pages, the oldest first. */
export async function children(client: Client, run: string, pageSize = 50): Promise<Json[]> {
	const all: Json[] = [];
	let page = await client.data('GET', 'history/v1.0', `/runs/${run}/children?$top=${pageSize}`);
	for (;;) {
		all.push(...(page.body['value'] as Json[]));
		const next = page.body['nextLink'];
		if (typeof next !== 'string') return all;
		page = await client.send('GET', next);
	}
}

/** Reads a log of a run by its signed address. */
export async function log(client: Client, run: string, path = 'user_logs/std_log.txt'): Promise<string> {
	const url = at((await details(client, run)).body, 'logFiles', path);
	if (typeof url !== 'string') return `(no ${path})`;
	return await (await fetch(url, { headers: { Connection: 'close' } })).text();
}

/** What is shown of a failed run's error. */
export async function errorOf(client: Client, run: string): Promise<string> {
	return String(at((await details(client, run)).body, 'error', 'error', 'message'));
}
