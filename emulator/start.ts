// `npm run emulator`: one emulator that stays until it is interrupted, and how to point the action at it.
// Options: --data DIR (.emulator), --port N (a free one), --tls (for clients in Python), --python FILE (for jobs and
// endpoints), --requests (prints each request), --env-file FILE (once it is up, what a client needs, one name=value a line).

import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Emulator, startEmulator } from './emulator.ts';

const { values } = parseArgs({
	options: {
		data: { type: 'string', default: '.emulator' },
		port: { type: 'string' },
		tls: { type: 'boolean' },
		python: { type: 'string' },
		requests: { type: 'boolean' },
		'env-file': { type: 'string' },
	},
});
const options = {
	...(values.port === undefined ? {} : { port: Number(values.port) }),
	...(values.tls === undefined ? {} : { tls: values.tls }),
	...(values.python === undefined ? {} : { python: values.python }),
};
const emulator = await startEmulator({ dataFolder: values.data, quiet: !values.requests, ...options });
print(emulator);
if (values['env-file'] !== undefined) writeEnvFile(values['env-file'], { ...inputsOf(emulator), ...emulator.env });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => {
		emulator.stop().then(
			() => process.exit(0),
			(error) => {
				console.error(`The emulator could not stop in order: ${String(error)}`);
				process.exit(1);
			},
		);
	});
}

function inputsOf(started: Emulator): Record<string, string> {
	return {
		...started.inputs,
		'client-secret': started.clientSecret,
		'github-token': started.github.token,
	};
}

/** Whoever waits for the file finds the whole of it: it gets its name when it is written. */
function writeEnvFile(file: string, variables: Record<string, string>): void {
	const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
	writeFileSync(`${file}.new`, lines.join(''), { mode: 0o600 });
	renameSync(`${file}.new`, file);
}

function print(started: Emulator): void {
	console.log(
		`Azure ML is emulated at ${started.arm}, Entra at ${started.authority}. State is kept in ${values.data}.`,
	);
	console.log('\nInputs of the action (leave client-secret out to sign in by the ID token of GitHub):');
	for (const [name, value] of Object.entries(inputsOf(started))) console.log(`  ${name}: ${value}`);
	console.log('\nEnvironment of its process:');
	for (const [name, value] of Object.entries(started.env)) console.log(`  ${name}=${value}`);
	console.log('\nEnd it with Ctrl-C.');
}
