import { describe, expect, test } from '@jest/globals';
import { type Credential, createTokenCache } from '../../src/azure/token-cache.ts';
import { type VirtualClock, virtualClock } from '../fixtures/virtual-clock.ts';

const SCOPE = 'https://management.azure.com/.default';
const HOUR = 3_600_000;

interface Giver {
	readonly clock: VirtualClock;
	readonly credential: Credential;
	/** What was asked for, in order. */
	readonly asked: { readonly scope: string; readonly claims?: string | undefined; readonly anew?: boolean }[];
	/** Set: the next requests fail. */
	broken: boolean;
	/** Lets every request wait until it is called. */
	hold(): () => void;
}

/** Tokens `t1`, `t2`, … of an hour each. */
function giver(): Giver {
	const clock = virtualClock();
	const asked: Giver['asked'] = [];
	let gate = Promise.resolve();
	const self: Giver = {
		clock,
		asked,
		broken: false,
		hold: () => {
			let open = (): void => {};
			gate = new Promise((done) => {
				open = done;
			});
			return open;
		},
		credential: createTokenCache(async (scope, how) => {
			const turn = asked.push({ scope, ...how });
			await gate;
			if (self.broken) throw new Error('the token endpoint is down');
			return { token: `t${turn}`, expires: clock.now() + HOUR };
		}, clock),
	};
	return self;
}

/** Lets what was begun in the background go on. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('a kept token', () => {
	test('is given again without asking, for each scope its own', async () => {
		const { credential, asked, clock } = giver();
		expect(await credential.token(SCOPE)).toBe('t1');
		clock.advance(54 * 60_000);
		expect(await credential.token(SCOPE)).toBe('t1');
		expect(await credential.token('https://ml.azure.com/.default')).toBe('t2');
		expect(asked.map(({ scope }) => scope)).toEqual([SCOPE, 'https://ml.azure.com/.default']);
	});

	test('is renewed before it expires, and nobody waits for that', async () => {
		const { credential, asked, clock, hold } = giver();
		await credential.token(SCOPE);
		clock.advance(56 * 60_000);
		const open = hold();
		expect(await credential.token(SCOPE)).toBe('t1');
		expect(await credential.token(SCOPE)).toBe('t1');
		expect(asked).toHaveLength(2);
		open();
		await settled();
		expect(await credential.token(SCOPE)).toBe('t2');
	});

	test('serves on while renewal fails, which is tried every three seconds, until it expires', async () => {
		const one = giver();
		await one.credential.token(SCOPE);
		one.clock.advance(56 * 60_000);
		one.broken = true;
		for (let second = 0; second < 90; second += 1) {
			expect(await one.credential.token(SCOPE)).toBe('t1');
			await settled();
			one.clock.advance(1000);
		}
		expect(one.asked).toHaveLength(1 + 30);
		one.broken = false;
		await one.credential.token(SCOPE);
		await settled();
		expect(await one.credential.token(SCOPE)).toBe('t32');
	});

	test('is not given once it has expired; the failure of its renewal is', async () => {
		const one = giver();
		await one.credential.token(SCOPE);
		one.clock.advance(HOUR);
		one.broken = true;
		await expect(one.credential.token(SCOPE)).rejects.toThrow('the token endpoint is down');
		one.broken = false;
		expect(await one.credential.token(SCOPE)).toBe('t3');
	});
});

describe('asking', () => {
	test('is done once for all who come meanwhile', async () => {
		const { credential, asked } = giver();
		expect(await Promise.all([1, 2, 3].map(() => credential.token(SCOPE)))).toEqual(['t1', 't1', 't1']);
		expect(asked).toHaveLength(1);
	});

	test('with claims passes the kept token over, and those on their way without claims', async () => {
		const { credential, asked } = giver();
		const plain = credential.token(SCOPE);
		expect(await credential.token(SCOPE, { claims: '{"x":1}' })).toBe('t2');
		expect(await plain).toBe('t1');
		expect(asked.map(({ claims }) => claims)).toEqual([undefined, '{"x":1}']);
	});

	test('with claims brings the token that is kept from then on', async () => {
		const { credential } = giver();
		await credential.token(SCOPE);
		await credential.token(SCOPE, { claims: '{"x":1}' });
		expect(await credential.token(SCOPE)).toBe('t2');
	});

	test('for another one than a refused one passes the kept token over, once for all who were refused', async () => {
		const { credential, asked } = giver();
		await credential.token(SCOPE);
		const others = [1, 2].map(() => credential.token(SCOPE, { refused: 't1' }));
		expect(await Promise.all(others)).toEqual(['t2', 't2']);
		expect(await credential.token(SCOPE, { refused: 't1' })).toBe('t2');
		expect(asked).toEqual([{ scope: SCOPE }, { scope: SCOPE, anew: true }]);
	});

	test('is not waited for by one who is cancelled, but goes on for the others', async () => {
		const { credential, hold, asked } = giver();
		const open = hold();
		const stop = new AbortController();
		const first = credential.token(SCOPE, { signal: stop.signal });
		const second = credential.token(SCOPE, { signal: new AbortController().signal });
		stop.abort(new Error('cancelled'));
		await expect(first).rejects.toThrow('cancelled');
		await expect(credential.token(SCOPE, { signal: stop.signal })).rejects.toThrow('cancelled');
		open();
		expect(await second).toBe('t1');
		expect(asked).toHaveLength(1);
	});

	test('that failed is not remembered', async () => {
		const one = giver();
		one.broken = true;
		await expect(one.credential.token(SCOPE)).rejects.toThrow('down');
		one.broken = false;
		expect(await one.credential.token(SCOPE)).toBe('t2');
	});
});
