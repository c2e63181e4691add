import { describe, expect, test } from '@jest/globals';
import { sharedLog } from '../../src/job/screen.ts';
import { createGitHubLog } from '../../src/log.ts';
import { createSecrets } from '../../src/secrets.ts';
import { memoryLog } from '../fixtures/memory-log.ts';

describe('a group', () => {
	test('holds what a file holds; what is said meanwhile comes after it', () => {
		const log = memoryLog();
		const shared = sharedLog(log, new AbortController().signal);
		shared.info('before');
		shared.group('train');
		shared.foreign('epoch 1');
		shared.info('Job x: Completed');
		expect(log.lines).toEqual(['before', '> train']);
		shared.endGroup();
		shared.info('after');
		expect(log.lines).toEqual(['before', '> train', 'Job x: Completed', 'after']);
	});
});

describe('output that is taken slowly', () => {
	function slow() {
		const printed: string[] = [];
		let go: () => void = () => {};
		const drained = (): Promise<void> =>
			new Promise((done) => {
				go = done;
			});
		const log = createGitHubLog(createSecrets(), (text) => printed.push(text) < 2, drained);
		return { printed, log, drain: () => go() };
	}

	test('is waited for', async () => {
		const { log, drain } = slow();
		const shared = sharedLog(log, new AbortController().signal);
		log.info('one');
		await shared.ready?.();
		log.info('two');
		let ready = false;
		const waiting = shared.ready?.().then(() => {
			ready = true;
		});
		await new Promise((done) => setImmediate(done));
		expect(ready).toBe(false);
		drain();
		await waiting;
		expect(ready).toBe(true);
	});

	test('is not waited for once the workflow is cancelled', async () => {
		const { log } = slow();
		const stop = new AbortController();
		const shared = sharedLog(log, stop.signal);
		log.info('one');
		log.info('two');
		const waiting = shared.ready?.();
		stop.abort(new Error('cancelled'));
		await expect(waiting).rejects.toThrow('cancelled');
	});
});
