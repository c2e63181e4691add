// Folders as actions/checkout leaves them, and the smallest files that make a job or an endpoint.
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The example that users copy, as it lies in this repository. */
export const IRIS = join(import.meta.dirname, '../../examples/iris');

/** Makes a temporary folder with these files, by path. Whoever makes it removes it. */
export function makeCheckout(files: Readonly<Record<string, string>>): string {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-')));
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), text);
	}
	return folder;
}

/** A job that runs this python program, with a model output called `model`. */
export function jobFiles(program: string, yaml = ''): Record<string, string> {
	return {
		'src/train.py': program,
		'job.yml': [
			'type: command',
			'code: src',
			'command: python -u train.py ${{outputs.model}}',
			'environment: azureml:python-stdlib:1',
			'compute: azureml:cpu-cluster',
			'outputs:',
			'  model:',
			'    type: custom_model',
			yaml,
			'',
		].join('\n'),
	};
}

/** A program that prints `lines` and writes a model. */
export function printing(lines: readonly string[]): string {
	return [
		'import pathlib, sys',
		`for line in ${JSON.stringify(lines)}:`,
		'    print(line)',
		'folder = pathlib.Path(sys.argv[1])',
		'folder.mkdir(parents=True, exist_ok=True)',
		"(folder / 'model.txt').write_text('42')",
	].join('\n');
}

/** What a program waits for until the test lets it go on. */
export interface Gate {
	/** A program that prints `before`, waits, and goes on as `printing(after)`. */
	program(before: readonly string[], after: readonly string[]): string;
	/** Lets the program go on, which removes the gate; safe to call again. */
	open(): void;
}

/** A closed gate. */
export function makeGate(): Gate {
	const path = join(mkdtempSync(join(tmpdir(), 'gate-')), 'open');
	let opened = false;
	return {
		program: (before, after) =>
			[
				'import os, time',
				`print(*${JSON.stringify(before)}, sep='\\n')`,
				`while not os.path.exists(${JSON.stringify(path)}):`,
				'    time.sleep(0.05)',
				`os.remove(${JSON.stringify(path)})`,
				`os.rmdir(${JSON.stringify(dirname(path))})`,
				printing(after),
			].join('\n'),
		open: () => {
			if (!opened) writeFileSync(path, '');
			opened = true;
		},
	};
}

/** A program that says its process id and then waits for longer than any test does. */
export const ENDLESS = ['import os, time', "print('pid', os.getpid())", 'time.sleep(300)'].join('\n');

/** The line by which an endpoint file is known to be about an online endpoint. */
export const ENDPOINT_SCHEMA = '$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json';

/** An endpoint of this name and a deployment whose scoring script is this. */
export function endpointFiles(name: string, script: string): Record<string, string> {
	return {
		'endpoint.yml': `${ENDPOINT_SCHEMA}\nname: ${name}\nauth_mode: key\n`,
		'deployment.yml': [
			`endpoint_name: ${name}`,
			'code_configuration:',
			'  code: score',
			'  scoring_script: score.py',
			'environment: azureml:python-stdlib:1',
			'instance_type: Standard_DS3_v2',
			'instance_count: 1',
			'',
		].join('\n'),
		'score/score.py': script,
		'request.json': '{"data": [1]}',
	};
}

/** A scoring script that answers the same to everything. */
export const SCORE_42 = ['def init():', '    pass', 'def run(raw_data):', "    return {'answer': 42}"].join('\n');
