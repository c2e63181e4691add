// `npm run emulator`: one emulator that stays until it is interrupted, and how to point the action at it.
// Options: --data DIR (.emulator), --port N (a free one), --requests (prints each request).

import { parseArgs } from 'node:util';
import { type Emulator, startEmulator } from './emulator.ts';

const { values } = parseArgs({
	options: { data: { type: 'string', default: '.emulator' }, port: { type: 'string' }, requests: { type: 'boolean' } },
});
const port = values.port === undefined ? {} : { port: Number(values.port) };
const emulator = await startEmulator({ dataFolder: values.data, quiet: !values.requests, ...port });
print(emulator);
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

function print(started: Emulator): void {
	const inputs = {
		'client-id': started.clientId,
		'tenant-id': started.tenantId,
		'client-secret': started.clientSecret,
		'subscription-id': started.subscriptionId,
		'resource-group': started.resourceGroup,
		workspace: started.workspace,
		cloud: started.cloudFile,
		'github-token': started.github.token,
	};
	console.log(
		`Azure ML is emulated at ${started.arm}, Entra at ${started.authority}. State is kept in ${values.data}.`,
	);
	console.log('\nInputs of the action (leave client-secret out to sign in by the ID token of GitHub):');
	for (const [name, value] of Object.entries(inputs)) console.log(`  ${name}: ${value}`);
	console.log('\nEnvironment of its process:');
	for (const [name, value] of Object.entries(started.env)) console.log(`  ${name}=${value}`);
	console.log('\nEnd it with Ctrl-C.');
}
