import { describe, expect, test } from '@jest/globals';
import { createSecrets } from '../src/secrets.ts';
import { processorTime } from './fixtures/processor-time.ts';

const SECRET = 'pa$$w0rd/with+odd "chars"\\';

describe('redaction', () => {
	const secrets = createSecrets();
	secrets.add(SECRET);
	test.each([
		['as it is', SECRET],
		['URL-encoded', encodeURIComponent(SECRET)],
		['form-encoded', encodeURIComponent(SECRET).replaceAll('%20', '+')],
		['in JSON', JSON.stringify(SECRET).slice(1, -1)],
	])('hides a secret %s', (_form, text) => {
		expect(secrets.redact(`before ${text} after`)).toBe('before *** after');
	});

	test.each([0, 1, 2])('hides most of a secret in base64 that begins %d bytes in', (offset) => {
		const encoded = Buffer.from(`${'x'.repeat(offset)}${SECRET}yyy`).toString('base64');
		const shown = secrets.redact(encoded);
		expect(shown).toContain('***');
		expect(Buffer.from(shown.replace('***', ''), 'base64').toString()).not.toContain('w0rd');
	});

	test('registers each line of a secret of several lines', () => {
		const several = createSecrets();
		several.add('first line\nsecond line');
		expect(several.redact('only the second line here')).toBe('only the *** here');
	});

	test('does not register what is too short to be one', () => {
		const short = createSecrets();
		short.add('a');
		short.add('true');
		expect(short.redact('a true story')).toBe('a true story');
	});

	test('hides the longer of two secrets whole', () => {
		const both = createSecrets();
		both.add('secret-1');
		both.add('secret-1-and-more');
		expect(both.redact('secret-1-and-more')).toBe('***');
	});

	test.each([
		[
			'a signature in a signed URL',
			'https://a.blob.core.windows.net/c?sv=1&sr=c&sig=abc%2Fdef%3D&se=2',
			'https://a.blob.core.windows.net/c?sv=1&sr=c&sig=***&se=2',
		],
		['a signature in a URL within XML', 'c?sr=c&amp;sig=abc%2F&amp;se=2', 'c?sr=c&amp;sig=***&amp;se=2'],
		['a signature in a URL within a URL', 'u=c%3Fsr%3Dc%26sig%3Dabc', 'u=c%3Fsr%3Dc%26sig%3D***'],
		['a signature in a URL within JSON', 'c?sr=c\\u0026signature=abc"', 'c?sr=c\\u0026signature=***"'],
		['a signature that is told alone', 'not valid: sig=abc%2Fdef123456789%3D.', 'not valid: sig=***.'],
		['two tokens in a word', 'eyJhbGciOiJub25l.eyJhdWQiOiJ4In0.c2ln.eyJhbGciOiJub25l.eyJhdWQiOiJ4In0.c2ln', '***.***'],
		['a bearer token', 'Authorization: Bearer abcdefgh12345678', 'Authorization: Bearer ***'],
		['a JSON web token', 'token eyJhbGciOiJub25l.eyJhdWQiOiJ4In0.c2lnbmF0 end', 'token *** end'],
		['a client secret in a form', 'grant_type=x&client_secret=hunter22&y=1', 'grant_type=x&client_secret=***&y=1'],
	])('hides %s that nobody registered', (_name, text, shown) => {
		expect(createSecrets().redact(text)).toBe(shown);
	});
});

test.each(['sig=0.12345678901234567', 'sig=short', 'design=abcdefghijklmnopqrstuvwxyz'])(
	'%s is no signature',
	(text) => {
		expect(createSecrets().redact(text)).toBe(text);
	},
);

describe('a hostile text', () => {
	const secrets = createSecrets();

	// Each start of a token made the whole of such a line be read again: seconds for every line of 64 KiB.
	test.each(['eyJ-', 'eyJaaaaaaaa-', 'eyJaaaaaaaa.', 'a.eyJ', '-eyJ', 'eyJaaaaaaaa.eyJbbbbbb.', '&sig', 'bearer '])(
		'costs no time worth mentioning: %j over and over',
		(piece) => {
			const text = piece.repeat(400_000 / piece.length);
			expect(processorTime(() => secrets.redact(text))).toBeLessThan(3);
		},
	);

	test('hides a token wherever it begins', () => {
		const token = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c-_'.repeat(9)}`;
		for (const before of ['', 'token=', 'x-', '"', 'a.b-', 'eyJ-', 'aaa-aaa-aaa.bbb-bbb-b.', 'eyJaaa.'])
			expect(secrets.redact(`${before}${token} after`)).not.toMatch(/a{8}|b{8}|c-_c/);
		expect(secrets.redact('version eyJ.1 of eyJaaa.bbb')).toBe('version eyJ.1 of eyJaaa.bbb');
	});
});

describe('a text that is divided', () => {
	test('keeps what may be the beginning of a secret, in any of its forms, for its rest', () => {
		const secrets = createSecrets();
		expect(secrets.held('anything')).toBe(0);
		secrets.add('s3cr/et-value');
		expect(secrets.held('password: s3cr')).toBe(4);
		expect(secrets.held('password: s3cr%2Fet')).toBe(9);
		expect(secrets.held('password: s3cr/et-value')).toBe(0);
		expect(secrets.held('ends in s')).toBe(1);
		expect(secrets.held('ends in x')).toBe(0);
	});
});
