import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { code, codeBlock, cut, inert, link, prose } from '../../src/report/text.ts';

/** Everything that means something to GitHub's Markdown, and what leads to it. */
const nasty = fc
	.array(
		fc.constantFrom(
			...['<', '>', '&', '&lt;', '&#60;', '&amp;', '`', '``', '```', '|', '\\', '\\|', '[', ']', '(', ')', '![', ']('],
			...['*', '**', '_', '~~', '#', '# ', '- ', '+ ', '1. ', '1) ', '> ', '---', '===', '$', '$$', '{', '}', '!', ':'],
			...[
				'\n',
				'\r',
				'\r\n',
				'\n\n',
				'\u2028',
				'    ',
				' ',
				'a',
				'b.c',
				'7',
				'<img src=x>',
				'<!--',
				'-->',
				'</details>',
			],
			...['http://evil.example', 'https://evil.example', 'www.evil.example', '@octocat', 'a@b.example', '#12', 'o/r#1'],
		),
		{ maxLength: 12 },
	)
	.map((parts) => parts.join(''));

/** Markdown without its escapes, as its reader sees it. */
function seen(markdown: string): string {
	return markdown
		.replace(/\\([!-/:-@[-`{-~])/g, '$1')
		.replace(/&(?:#(\d+)|(lt|gt|amp));/g, (_, number: string | undefined, name: string | undefined) =>
			number === undefined ? ({ lt: '<', gt: '>', amp: '&' }[name ?? ''] ?? '') : String.fromCodePoint(Number(number)),
		)
		.replaceAll('\u2060', '');
}

const flattened = (text: string): string => text.replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ');

/** What of the text could act: each mark that is neither escaped nor an entity. */
function activeMarks(markdown: string): string[] {
	const rest = markdown.replace(/\\[!-/:-@[-`{-~]/g, 'x').replace(/&(#\d+|lt|gt|amp);/g, 'x');
	return rest.match(/[<>&`*_[\]()#+!|~$\\:@\n\r]|www\.|^\s*(?:[-=]|\d+[.)])/gi) ?? [];
}

describe('inert text', () => {
	test('has nothing in it that acts, and shows as itself', () => {
		fc.assert(
			fc.property(nasty, (text) => {
				expect(activeMarks(inert(text))).toEqual([]);
				expect(seen(inert(text))).toBe(flattened(text));
			}),
			{ seed: 7, numRuns: 2000 },
		);
	});

	test.each([
		['plain text, with commas; and 100 % of it.', 'plain text, with commas; and 100 % of it.'],
		['a < b & c', 'a &lt; b &amp; c'],
		['&lt;', '&amp;lt;'],
		['see https://evil.example', 'see https&#58;//evil.example'],
		['WWW.evil.example', 'WWW&#46;evil.example'],
		['- item', '\\- item'],
		['1. item', '1\\. item'],
		['one\r\n  two', 'one two'],
	])('%j is %j', (text, markdown) => {
		expect(inert(text)).toBe(markdown);
	});

	test.each(['@octocat', 'cc @octo/team', 'see #12', 'octo/iris#12', '(@octocat)'])('mentions nobody: %s', (text) => {
		// GitHub looks for these in the text as it is shown.
		const shown = inert(text).replace(/\\(.)/g, '$1').replaceAll('&#64;', '@');
		expect(shown).not.toMatch(/(^|[^A-Za-z0-9])@[A-Za-z0-9]|#\d/);
	});
});

describe('code inside a line', () => {
	/** What a reader of the table sees of a cell, or undefined where it is no single piece of code. */
	function codeIn(markdown: string): string | undefined {
		const html = /^<code>(.*)<\/code>$/s.exec(markdown)?.[1];
		if (html !== undefined) return activeMarks(html).length === 0 ? seen(html) : undefined;
		const [, fence = '', content = ''] = /^(`+)(.*?)\1$/s.exec(markdown) ?? [];
		if (fence === '' || /[\n\r|]/.test(content)) return undefined;
		if ((content.match(/`+/g) ?? []).some((run) => run === fence)) return undefined;
		return /^ .*[^ ].* $/.test(content) ? content.slice(1, -1) : content;
	}

	test('is one piece of code, whatever is in it', () => {
		fc.assert(
			fc.property(
				nasty.filter((text) => text.trim() !== ''),
				(text) => {
					const flat = text.replace(/[\r\n\u2028\u2029]+/g, ' ');
					const shown = codeIn(code(text));
					expect(shown?.trim()).toBe(flattened(flat).trim());
				},
			),
			{ seed: 7, numRuns: 2000 },
		);
	});

	test('does not let a pipe out of a table, whatever stands before it', () => {
		for (const text of ['a|b', 'a\\|b', 'a\\\\|<img src=x>', '`|`']) {
			// A cell ends at a pipe that no backslash of its own stands before.
			expect(code(text).replace(/\\[!-/:-@[-`{-~]/g, '')).not.toContain('|');
			expect(code(text)).not.toContain('<img');
		}
	});

	test('of nothing is nothing', () => {
		expect(code('')).toBe('');
	});
});

test('prose shows what stands between backticks as code, all else as itself', () => {
	expect(prose('Set `a_b` to *x*.')).toBe('Set `a_b` to \\*x\\*.');
	expect(prose('an odd ` one')).toBe('an odd \\` one');
	expect(prose('`a|b` <img>')).toBe('<code>a\\|b</code> &lt;img&gt;');
});

describe('a block of code', () => {
	test('ends where it ends, whatever is in it', () => {
		fc.assert(
			fc.property(fc.array(nasty, { maxLength: 5 }), (lines) => {
				const [opening = '', ...rest] = codeBlock(lines).split('\n');
				const fence = opening.replace('text', '');
				expect(fence).toMatch(/^`{3,}$/);
				expect(rest.at(-1)).toBe(fence);
				const inside = rest.slice(0, -1).flatMap((line) => line.split('\r'));
				expect(inside.some((line) => line.trimStart().startsWith(fence))).toBe(false);
			}),
		);
	});

	test('has no colours and no control characters', () => {
		expect(codeBlock(['\u001b[31mred\u001b[0m\u0007', 'tab\tstays'])).toBe('```text\nred\ntab\tstays\n```');
	});
});

describe('a link', () => {
	const TRUSTED = ['https://ml.azure.com'];

	test.each([
		'https://ml.azure.com/runs/iris?wsid=/subscriptions/s&tid=t',
		'https://ML.azure.com/runs',
		'https://eastus.ml.azure.com/x',
	])('leads to %s', (address) => {
		expect(link('iris', address, TRUSTED)).toMatch(/^\[iris\]\(<https:\/\//);
	});

	test.each([
		undefined,
		'',
		'not an address',
		'javascript:alert(1)',
		'https://evil.example/x',
		'https://ml.azure.com.evil.example/',
		'https://evilml.azure.com/',
		'https://user@ml.azure.com/',
		'https://:password@ml.azure.com/',
		'ftp://ml.azure.com/',
		'https://ml.azure.com:8443/',
	])('does not lead to %s', (address) => {
		expect(link('iris', address, TRUSTED)).toBe('iris');
		expect(link('iris', address, ['', 'ml.azure.com'])).toBe('iris');
	});

	test('cannot be left, nor the cell of its table', () => {
		const address = link('x', 'https://ml.azure.com/a>b)|c\\d`e?q=<f>|g\\h', TRUSTED);
		expect(address.slice('[x](<'.length, -'>)'.length)).not.toMatch(/[<>|\\`\s]/);
	});

	test('leads to a service on loopback, where that is the trusted one', () => {
		expect(link('x', 'http://127.0.0.1:4000/runs', ['http://127.0.0.1:4000'])).toContain(
			'<http://127.0.0.1:4000/runs>',
		);
	});
});

describe('a text that is too long', () => {
	const rows = (count: number): string => Array.from({ length: count }, (_, n) => `| row ${n} | é漢😀 |`).join('\n');

	test('is left alone while it fits', () => {
		expect(cut('short\n', 1000)).toBe('short\n');
	});

	test('is cut between lines, and says so', () => {
		const short = cut(rows(1000), 2000);
		expect(Buffer.byteLength(short)).toBeLessThanOrEqual(2000);
		const [kept = '', note] = short.split('\n\n');
		expect(note).toContain('Cut here');
		expect(kept.split('\n').every((row) => /^\| row \d+ \| é漢😀 \|$/.test(row))).toBe(true);
		expect(kept.split('\n').length).toBeGreaterThan(50);
	});

	test('is cut so that a block of code has its end', () => {
		const short = cut(`head\n\n${codeBlock(['```', ...rows(1000).split('\n')])}`, 2000);
		expect(short).toMatch(/\n````\n\nCut here/);
		expect(Buffer.byteLength(short)).toBeLessThanOrEqual(2000);
		const closed = cut(`${codeBlock(['x'])}\n${rows(1000)}`, 2000);
		expect(closed).toMatch(/\|\n\nCut here/);
	});

	test('without any line end is more than nothing', () => {
		expect(cut('x'.repeat(5000), 2000)).toContain('Cut here');
	});
});
