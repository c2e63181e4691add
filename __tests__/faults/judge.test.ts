// The judge must be able to find fault: each promise is broken once, and a run that keeps them all is let go.
import { describe, expect, test } from '@jest/globals';
import { leaksIn, spellingsOf } from './canary.ts';
import { type Evidence, judge } from './judge.ts';

const SECRET = 'p~ss/w+rd "quoted" & <long>';
const canaries = new Map([[SECRET, 'the secret']]);
const PATH = 'user_logs/std_log.txt';

/** A run that keeps every promise, but for what is given. */
function evidence(change: Partial<Evidence> = {}): Evidence {
	return {
		sinks: { log: 'epoch 1\nepoch 2', summary: '## ok' },
		canaries,
		log: { shown: ['epoch 1', 'epoch 2'], files: new Map([[PATH, Buffer.from('epoch 1\nepoch 2\n')]]), alone: true },
		jobs: { states: ['Completed'], expected: 1 },
		traffic: { is: { blue: 100, green: 0 }, shouldBe: { blue: 100 } },
		requests: {
			sent: [
				{ host: 'arm', line: 'GET /', headers: { authorization: 'Bearer x' } },
				{ host: 'storage', line: 'GET /?sig=1', headers: {} },
			],
			mayHaveToken: ({ host }) => host === 'arm',
		},
		left: [],
		exit: { code: 1, expected: 1, said: 'The job iris ended as Failed.', shouldSay: /Failed/ },
		...change,
	};
}

const logOf = (shown: readonly string[], written: string, alone = true): Partial<Evidence> => ({
	log: { shown, files: new Map([[PATH, Buffer.from(written)]]), alone },
});

test('a run that keeps every promise is let go', () => {
	expect(judge(evidence())).toEqual([]);
});

describe('a secret is found', () => {
	test.each([...spellingsOf(SECRET)].map(([spelling, how]) => [how, spelling]))('%s', (_, spelling) => {
		expect(judge(evidence({ sinks: { outputs: `x${spelling}y` } }))).toEqual([
			expect.stringContaining('outputs shows: the secret'),
		]);
	});

	test.each([0, 1, 2, 3, 4, 5])('in the base64 of a text in which it stands after %d bytes', (before) => {
		const text = Buffer.from(`${'x'.repeat(before)}${SECRET}!!`).toString('base64');
		expect(leaksIn(text, canaries)).toHaveLength(1);
	});

	test.each(['\n', '\r\n', ' ⤶\n'])('split over two lines by %j', (between) => {
		expect(leaksIn(`a ${SECRET.slice(0, 9)}${between}${SECRET.slice(9)} b`, canaries)).toEqual(['the secret (split)']);
	});

	test('and nothing else is', () => {
		expect(leaksIn(`${SECRET.slice(0, 12)} *** ${SECRET.slice(13)}`, canaries)).toEqual([]);
	});
});

describe('a log is found not to be shown as it was written', () => {
	test.each<[string, string[], string]>([
		['a line is missing', ['a', 'c'], 'a\nb\nc\n'],
		['a line is shown twice', ['a', 'b', 'b'], 'a\nb\n'],
		['lines have changed places', ['b', 'a'], 'a\nb\n'],
		['half a line is missing', ['loss=0.1'], 'loss=0.12345\n'],
		['all of it is missing', [], 'a\n'],
	])('%s', (_, shown, written) => {
		expect(judge(evidence(logOf(shown, written)))).toHaveLength(1);
		const amid = ['Submitted the job x.', ...shown, 'The job x is Completed.'];
		expect(judge(evidence(logOf(amid, written, false)))).toHaveLength(1);
	});

	test.each<[string, string[], string]>([
		['a gap line names the file', [`[gap: ${PATH} could not be read beyond 2 bytes: HTTP 403]`, 'a'], 'a\nb\n'],
		['commands are made harmless', ['\\::error::x', 'a #\\#[group]'], '::error::x\na ##[group]\n'],
		['a line without an end is marked', ['no end ⤶'], 'no end'],
		['lines end as on Windows', ['a', 'b'], 'a\r\nb\r\n'],
	])('but not where %s', (_, shown, written) => {
		expect(judge(evidence(logOf(shown, written)))).toEqual([]);
	});

	test('though the gap line is about another file', () => {
		expect(judge(evidence(logOf(['[gap: other.txt shrank after 3 bytes]'], 'a\n', false)))).toHaveLength(1);
	});
});

test.each<[string, Partial<Evidence>, RegExp]>([
	['a second job', { jobs: { states: ['Completed', 'Running'], expected: 1 } }, /2 jobs.*instead of 1/],
	['a job that is lost', { jobs: { states: [], expected: 1 } }, /0 jobs/],
	['traffic that stays moved', { traffic: { is: { green: 100 }, shouldBe: { blue: 100 } } }, /traffic is/],
	['a process that goes on', { left: ['process 12'] }, /left behind: process 12/],
	['another exit code', { exit: { code: 0, expected: 1, said: '' } }, /ended with 0 instead of 1/],
	['a step that was killed', { exit: { code: null, expected: 1, said: '' } }, /ended with null/],
	['a message that says nothing', { exit: { code: 1, expected: 1, said: 'x', shouldSay: /job y/ } }, /does not say/],
])('%s is found', (_, change, finding) => {
	expect(judge(evidence(change))).toEqual([expect.stringMatching(finding)]);
});

test.each(['authorization', 'x-azureml-token', 'proxy-authorization', 'cookie'])(
	'the header %s is found where it does not belong',
	(name) => {
		const sent = [{ host: 'evil', line: 'GET /next', headers: { [name]: 'Bearer x' } }];
		const requests = { sent, mayHaveToken: () => false };
		expect(judge(evidence({ requests }))).toEqual(['a credential was sent to evil: GET /next']);
	},
);
