import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { createGitHubLog, neutralise, ODD } from '../src/log.ts';
import { createSecrets } from '../src/secrets.ts';
import { commandsAnyhow, commandsIn } from './fixtures/runner-commands.ts';
import { withoutEscapes } from './job/log-scene.ts';

describe('neutralise', () => {
	test.each([
		'::add-mask::a',
		'   ::set-output name=model-version::9',
		'\u00a0::error::forged',
		'\u3000::stop-commands::x',
		'##[group]x',
		'text ##[add-mask]a',
		'###[command]x',
		'99%\r::add-mask::a',
		'a\r\n::debug::x',
		'::ADD-MASK::a',
		'\u001b[2K::warning::x',
		'\u0000::warning::x',
		'#\u001b[0K#[group]x',
		'#\u0007#[group]x',
		'\u2028::warning::x',
		':\u00ad:warning::x',
		'\u200d::\ufe0fwarning:\u034f:x',
		'#\u2064#\u00ad[group]x',
		'\u2063##[group]x',
	])('leaves no command in %j', (text) => {
		expect(commandsAnyhow(neutralise(text))).toEqual([]);
	});

	test('leaves no command in any text', () => {
		const piece = fc.constantFrom(
			'::',
			':',
			'##[',
			'#',
			'[',
			']',
			'\\',
			'add-mask',
			'\r',
			'\n',
			' ',
			'\u00a0',
			'\u0000',
			'\u001b[K',
			'\u001b[31m',
			'\u001b]8;;',
			'\u0007',
			'\u0085',
			'a',
			'\ufeff',
			'\u200b',
			'\u00ad',
			'\u2064',
			'\ufe0f',
			'##\u001b[31m]x',
			']x',
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
				const whole = pieces.join('');
				expect(commandsAnyhow(neutralise(whole))).toEqual([]);
			}),
			{ numRuns: 5000 },
		);
	});

	test('can be undone', () => {
		const pieces = fc.constantFrom('::', ':', '##[', '#\\#[', '\\', '\\::', 'x', ' ', '#', '[', '\u00ad', '\u200b');
		fc.assert(
			fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
				expect(withoutEscapes(neutralise(parts.join('')))).toBe(parts.join(''));
			}),
			{ numRuns: 5000 },
		);
	});

	test('keeps colours and drops what moves the cursor, sets titles or links', () => {
		expect(
			neutralise(
				'\u001b[1;31mred\u001b[0m \u001b[2Jclear\u001b]0;title\u0007 \u001b]8;;https://evil.example\u001b\\link',
			),
		).toBe('\u001b[1;31mred\u001b[0m clear link');
	});

	test('keeps text, tabs and unicode as they are', () => {
		expect(neutralise('loss:\t0.1 ✓ naïve :: mid-line # [x] #[y]')).toBe('loss:\t0.1 ✓ naïve :: mid-line # [x] #[y]');
	});
});

describe('annotations', () => {
	test('are nine of each kind, and a tenth that counts the rest, which are lines of the log', () => {
		const printed: string[] = [];
		const output = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
		try {
			const log = createGitHubLog(createSecrets(), (text) => process.stdout.write(text));
			for (let fault = 1; fault <= 500; fault += 1) log.error(`fault ${fault}`, { file: 'job.yml', line: fault });
			for (let doubt = 1; doubt <= 10; doubt += 1) log.warning(`doubt ${doubt}`);
			for (let note = 1; note <= 9; note += 1) log.notice(`note ${note}`);
			log.end?.();
		} finally {
			output.mockRestore();
		}
		const commands = commandsIn(printed.join(''));
		const told = (kind: string): string[] => commands.filter(({ name }) => name === kind).map(({ data }) => data);
		expect(told('error')).toHaveLength(10);
		expect(told('error').slice(-2)).toEqual(['fault 9', '… and 491 more errors: see the log of this step.']);
		expect(told('warning').slice(-2)).toEqual(['doubt 9', '… and 1 more warning: see the log of this step.']);
		expect(told('notice')).toHaveLength(9);
		expect(printed.filter((text) => /^error: job\.yml:\d+: fault \d+\n$/.test(text))).toHaveLength(491);
	});
});

describe('the log', () => {
	test('redacts and neutralises whatever it prints', () => {
		const printed: string[] = [];
		const secrets = createSecrets();
		const log = createGitHubLog(secrets, (text) => printed.push(text));
		secrets.add('hunter2-secret');
		log.info('ours hunter2-secret');
		log.foreign('::set-output name=x::hunter2-secret');
		expect(printed).toEqual(['ours ***\n', '\\::set-output name=x::***\n']);
	});
});

test('a secret is hidden though characters that are not shown stand in it', () => {
	const secrets = createSecrets();
	secrets.add('the-client-secret');
	let text = '';
	const log = createGitHubLog(secrets, (piece) => {
		text += piece;
	});
	log.foreign('the-\u0000client\u001b[2K-secret and https://a/b?x=1&s\u0007ig=abcdef');
	expect(text).toBe('*** and https://a/b?x=1&sig=***\n');
});

describe('what is not looked at line by line', () => {
	const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Cs}\u2028\u2029]/u;

	test('has no character that could be as nothing to the runner, and no white space but blanks and tabs', () => {
		const plain: number[] = [];
		for (let code = 0; code < 0x10000; code += 1) {
			ODD.lastIndex = 0;
			if (!ODD.test(String.fromCharCode(code))) plain.push(code);
		}
		expect(plain.length).toBeGreaterThan(30_000);
		const doubtful = plain
			.map((code) => String.fromCharCode(code))
			.filter((character) => !'\t\n '.includes(character) && (/\s/.test(character) || unseen.test(character)));
		expect(doubtful).toEqual([]);
	});

	test('is neutralised as each of its lines would be', () => {
		const piece = fc.constantFrom(
			'::',
			':',
			'##[',
			'#',
			'[',
			'\\',
			'x',
			' ',
			'\t',
			'\n',
			'\u00e9',
			'\u00ad',
			'\u001b[1m',
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
				const text = pieces.join('');
				const alone = text.split('\n').map((line) => neutralise(line));
				expect(neutralise(text)).toBe(alone.join('\n'));
				// The same lines where each is looked at by itself.
				const odd = text.split('\n').map((line) => neutralise(`${line}\u{1f600}`));
				expect(odd.map((line) => line.slice(0, -2))).toEqual(alone);
			}),
			{ numRuns: 5000 },
		);
	});
});
