import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createGitHubLog, neutralise } from '../src/log.ts';
import { createSecrets } from '../src/secrets.ts';

/**
 * How the runner reads a step's output: lines end in \n, \r\n or a lone \r; `::name` counts after white space is trimmed
 * from the left, `##[name]` anywhere in the line, both whatever the case.
 */
function commandsIn(text: string): string[] {
	return text.split(/\r\n|\n|\r/).filter((line) => /^::[^:]*::/.test(line.trimStart()) || /##\[[^\]]*\]/.test(line));
}

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
	])('leaves no command in %j', (text) => {
		expect(commandsIn(neutralise(text))).toEqual([]);
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
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
				const whole = pieces.join('');
				expect(commandsIn(neutralise(whole))).toEqual([]);
			}),
			{ numRuns: 3000 },
		);
	});

	test('can be undone', () => {
		const text = fc.array(fc.constantFrom('::', '##[', '#\\#[', '\\', '\\::', 'x', ' ', '#'), { maxLength: 12 });
		const undo = (shown: string): string =>
			shown.replace(/^([\s\u200b-\u200f\u2060\ufeff]*)\\(\\*::)/u, '$1$2').replace(/#\\(\\*#\[)/g, '#$1');
		fc.assert(fc.property(text, (pieces) => expect(undo(neutralise(pieces.join('')))).toBe(pieces.join(''))));
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
