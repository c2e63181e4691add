// A process of its own that follows the job `job` of a workspace on loopback, as the action does, and prints what it needed.
// Its time runs a thousand times as fast. For follow-memory.test.ts.
import { setTimeout as wait } from 'node:timers/promises';
import { createArm } from '../../src/azure/arm.ts';
import { createBearerHttp } from '../../src/azure/bearer.ts';
import { createHttp } from '../../src/azure/http.ts';
import { connectWorkspace } from '../../src/azure/workspace.ts';
import type { Clock } from '../../src/clock.ts';
import { followJob } from '../../src/job/follow.ts';
import { createGitHubLog } from '../../src/log.ts';
import { keepNewSpaceSmall } from '../../src/memory.ts';
import { createSecrets } from '../../src/secrets.ts';
import { customCloud, TARGET } from '../fixtures/workspace.ts';

keepNewSpaceSmall();

const FASTER = 1_000;
const started = Date.now();
const clock: Clock = {
	now: () => started + (Date.now() - started) * FASTER,
	sleep: (ms, signal) => wait(ms / FASTER, undefined, signal === undefined ? {} : { signal }),
	random: () => 0.5,
};

const cloud = customCloud(process.argv[2] ?? '');
const http = createHttp({ clock, userAgent: 'test/1' });
const bearer = createBearerHttp(http, cloud, { token: async () => 'the-token' });
const arm = createArm(bearer, cloud, clock);
const workspace = await connectWorkspace(TARGET, { cloud, http, bearer, arm });
const secrets = createSecrets();
secrets.add('a-secret-that-is-looked-for-in-every-line');
const log = createGitHubLog(secrets, (text) => process.stdout.write(text));
const signal = new AbortController().signal;
const { job } = await followJob('job', { workspace, http, log, clock, signal, timeout: undefined });
const memory = process.resourceUsage().maxRSS / 1024;
process.stderr.write(JSON.stringify({ status: job.status, children: job.children?.length ?? 0, memory }));
await http.close();
