// The entry of the action, for its main and its post step: hands the process to main.ts, and the result to the process.
import * as core from '@actions/core';
import { install } from 'undici';
import { systemClock } from './clock.ts';
import { CancelledError, messageOf } from './errors.ts';
import { createGitHubLog } from './log.ts';
import { main } from './main.ts';
import { keepNewSpaceSmall } from './memory.ts';
import { post } from './post.ts';
import { createSecrets } from './secrets.ts';
import type { World } from './steps/stage.ts';

keepNewSpaceSmall();
// Libraries that look for fetch and its types find those of the undici that is here; node would load a second one for them.
install();

const cancelled = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.on(signal, () => cancelled.abort(new CancelledError({ what: `The workflow was cancelled (${signal}).` })));
}

const secrets = createSecrets();
const env = process.env;
const mayAskForIdToken = Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
const world: World = {
	env,
	secrets,
	clock: systemClock,
	log: createGitHubLog(secrets, (text) => process.stdout.write(text)),
	signal: cancelled.signal,
	input: (name) => core.getInput(name),
	idToken: mayAskForIdToken ? (audience) => core.getIDToken(audience) : undefined,
	guard: (jobName) => core.saveState('guarded-job', jobName),
	guardRollout: (note) => core.saveState('guarded-rollout', note),
};

// node itself would print such an error as it is: the runner reads commands there too, and secrets would show.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
	process.on(event, (error: unknown) => {
		world.log.error(`${messageOf(error)} This is a fault of the action itself: please report it with the debug log.`);
		world.log.debug(error instanceof Error ? (error.stack ?? '') : '');
		process.exit(1);
	});
}

if (core.getState('main-step') === '') {
	core.saveState('main-step', 'ran');
	process.exitCode = (await main(world)) ? 0 : 1;
} else {
	await post(world, { job: core.getState('guarded-job'), rollout: core.getState('guarded-rollout') });
}
world.log.end?.();
// A connection that a server keeps open must not keep the step open. The timer alone keeps nothing alive.
setTimeout(() => process.exit(), 2_000).unref();
