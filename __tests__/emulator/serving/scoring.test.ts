import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ScoringProcess, ServeRequest } from '../../../emulator/execution.ts';
import { startScoring } from '../../../emulator/serving/scoring.ts';

let root: string;
let started: ScoringProcess[];

beforeEach(async () => {
	root = await mkdtemp(join(tmpdir(), 'scoring-'));
	started = [];
	await mkdir(join(root, 'code'));
	await mkdir(join(root, 'models', 'iris'), { recursive: true });
	await writeFile(join(root, 'models', 'iris', 'model.txt'), 'weights');
});

afterEach(async () => {
	await Promise.all(started.map((one) => one.stop()));
	await rm(root, { recursive: true, force: true });
});

async function serve(script: string, parts: Partial<ServeRequest> = {}): Promise<ScoringProcess> {
	await writeFile(join(root, 'code', 'score.py'), script);
	const scoring = startScoring({
		codeFolder: join(root, 'code'),
		scoringScript: 'score.py',
		modelFolder: join(root, 'models'),
		environmentVariables: {},
		workFolder: join(root, 'work'),
		...parts,
	});
	started.push(scoring);
	return scoring;
}

async function score(scoring: ScoringProcess, body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
	return await fetch(`http://127.0.0.1:${scoring.port()}/score`, { method: 'POST', body });
}

/** The log once it holds this: what a process prints comes through a pipe, after its answer or before. */
async function logWith(scoring: ScoringProcess, text: RegExp): Promise<string> {
	while (scoring.log().search(text) < 0) await new Promise((resolve) => setTimeout(resolve, 5));
	return scoring.log();
}

const ECHO = `
import json, os
def init():
    global model
    model = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "iris", "model.txt")).read()
    print("model:", model)
def run(raw_data):
    what = json.loads(raw_data)
    if what == "fail": raise ValueError("bad row")
    if what == "set": return {1}
    return {"model": model, "got": what} if what else what
`;

describe('a scoring process', () => {
	test('answers by run() and logs as the inference server does', async () => {
		const scoring = await serve(ECHO);
		await scoring.ready;
		const answer = await score(scoring, '[1,2]');
		expect(answer.status).toBe(200);
		expect(answer.headers.get('content-type')).toBe('application/json');
		expect(answer.headers.get('x-ms-run-function-failed')).toBe('False');
		expect(Number(answer.headers.get('x-ms-run-fn-exec-ms'))).toBeGreaterThanOrEqual(0);
		expect(await answer.json()).toEqual({ model: 'weights', got: [1, 2] });
		const health = await fetch(`http://127.0.0.1:${scoring.port()}/`);
		expect([health.status, await health.text()]).toEqual([200, 'Healthy']);
		const log = await logWith(scoring, /POST \/score 200 .*\n/);
		expect(log).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} I \[\d+\] azmlinfsrv\.print - model: weights$/m);
		expect(log).toMatch(/azmlinfsrv - POST \/score 200 \d+\.\d{3}ms \d+$/m);
		expect(log).not.toContain('\u0001');
		expect(scoring.log(1)).toBe(`${log.trimEnd().split('\n').at(-1)}\n`);
	});

	test('makes JSON of what run() returns: a string becomes a JSON string, None an empty object', async () => {
		const scoring = await serve(
			ECHO.replace('return {"model"', 'return json.dumps(what) if what == "text" else {"model"'),
		);
		await scoring.ready;
		expect(await (await score(scoring, '"text"')).text()).toBe('"\\"text\\""');
		expect(await (await score(scoring, 'null')).text()).toBe('{}');
	});

	test('answers 500 when run() fails, and goes on', async () => {
		const scoring = await serve(ECHO);
		await scoring.ready;
		const failed = await score(scoring, '"fail"');
		expect(failed.status).toBe(500);
		expect(failed.headers.get('x-ms-run-function-failed')).toBe('True');
		expect(await failed.json()).toEqual({
			message: 'An unexpected error occurred in scoring script. Check the logs for more info.',
		});
		expect(await logWith(scoring, /ValueError: bad row/)).toContain('Traceback (most recent call last)');
		expect((await score(scoring, '"set"')).status).toBe(500);
		expect((await score(scoring, new Uint8Array([0xff, 0xfe]))).status).toBe(400);
		expect((await score(scoring, '[1]')).status).toBe(200);
	});

	test('gives the request headers to a run() that wants them, and imports from the code folder', async () => {
		await writeFile(join(root, 'code', 'words.py'), 'WORD = "beside"\n');
		const scoring = await serve(
			'from words import WORD\ndef init(): pass\ndef run(data, request_headers): return [WORD, request_headers.get("X-Who")]\n',
		);
		await scoring.ready;
		const address = `http://127.0.0.1:${scoring.port()}/score`;
		const answer = await fetch(address, { method: 'POST', headers: { 'X-Who': 'me' }, body: '{}' });
		expect(await answer.json()).toEqual(['beside', 'me']);
	});

	test('is never ready when init() fails, and keeps the traceback', async () => {
		const scoring = await serve('def init(): raise KeyError("weights")\ndef run(raw_data): pass\n');
		await expect(scoring.ready).rejects.toThrow("init() of score.py failed: KeyError: 'weights'");
		expect(scoring.log()).toContain("User's init function failed");
		expect(scoring.log()).toContain('Traceback (most recent call last)');
		expect(scoring.log()).toContain(join('iris', 'model.txt'));
	});

	test.each([
		['a syntax error', 'def init(:\n', /could not be loaded: [\s\S]*SyntaxError/],
		['no run()', 'def init(): pass\n', /has no run\(\) function/],
		['an exit', 'import os\nos._exit(7)\n', /ended with status code 7 before it was ready/],
	])('is never ready for a script with %s', async (_case, script, reason) => {
		await expect((await serve(script)).ready).rejects.toThrow(reason);
	});

	test('says that mlflow is missing, or serves by it', async () => {
		const mlflow = join(root, 'site', 'mlflow');
		await mkdir(mlflow, { recursive: true });
		await writeFile(join(root, 'models', 'iris', 'MLmodel'), 'flavors: {}\n');
		const request: ServeRequest = {
			modelFolder: join(root, 'models'),
			modelType: 'mlflow_model',
			environmentVariables: { PYTHONPATH: join(root, 'site') },
			workFolder: join(root, 'work'),
		};
		await writeFile(join(mlflow, '__init__.py'), 'raise ImportError("absent")\n');
		await expect(startScoring(request).ready).rejects.toThrow('mlflow is not installed here');
		await writeFile(join(mlflow, '__init__.py'), '');
		const pyfunc =
			'import os\nclass M:\n  def predict(self, x): return [len(x)]\ndef load_model(p):\n  assert os.path.isfile(p + "/MLmodel")\n  return M()\n';
		await writeFile(join(mlflow, 'pyfunc.py'), pyfunc);
		const scoring = startScoring(request);
		started.push(scoring);
		await scoring.ready;
		expect(await (await score(scoring, '{"input_data": [[1], [2]]}')).json()).toEqual([2]);
	});

	test('refuses a model that needs code but has none', async () => {
		const request = { modelFolder: root, modelType: 'custom_model', environmentVariables: {}, workFolder: root };
		await expect(startScoring(request).ready).rejects.toThrow('give the deployment a code_configuration');
	});

	test('is gone after stop', async () => {
		const scoring = await serve('import os\ndef init(): print("pid:%d;" % os.getpid())\ndef run(raw_data): pass\n');
		await scoring.ready;
		const pid = Number(/pid:(\d+);/.exec(await logWith(scoring, /pid:\d+;/))?.[1]);
		await scoring.stop();
		const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
		expect(status).toMatch(/\) [ZX]/);
	});
});
