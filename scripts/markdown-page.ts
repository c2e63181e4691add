// A Markdown page as the documentation check sees it: its fenced blocks, its anchors, its links. Text in, facts out.
import GithubSlugger from 'github-slugger';
import { lexer, type Token, type Tokens } from 'marked';

/** A fenced block. `words` is what stands behind the opening fence: the language, then marks for the check. */
export interface Block {
	readonly line: number;
	readonly language: string;
	readonly marks: readonly string[];
	readonly text: string;
}

/** A link or an image, as it is written. */
export interface Link {
	readonly line: number;
	readonly target: string;
}

/** What the check needs of a page. */
export interface Page {
	readonly blocks: readonly Block[];
	readonly links: readonly Link[];
	/** The ids that GitHub gives to the headings. */
	readonly anchors: ReadonlySet<string>;
}

const HTML_LINK = /\b(?:href|src|srcset)="([^"]+)"/g;
const HTML_ANCHOR = /<a\s+(?:id|name)="([^"]+)"/g;

/** Reads a page. */
export function readPage(markdown: string): Page {
	const page = { blocks: [] as Block[], links: [] as Link[], anchors: new Set<string>() };
	const slugger = new GithubSlugger();
	const read = (token: Token, line: number): void => {
		if (token.type === 'code') page.blocks.push(blockOf(token as Tokens.Code, line));
		else if (token.type === 'heading') page.anchors.add(slugger.slug(plainText(token as Tokens.Heading)));
		else if (token.type === 'link' || token.type === 'image')
			page.links.push({ line, target: (token as Tokens.Link).href });
		else if (token.type === 'html') readHtml(token.raw, line, page);
		for (const inner of innerOf(token)) read(inner, line + linesBefore(token.raw, inner.raw));
	};
	let line = 1;
	for (const token of lexer(markdown)) {
		read(token, line);
		line += token.raw.split('\n').length - 1;
	}
	return page;
}

function blockOf({ lang = '', text }: Tokens.Code, line: number): Block {
	const [language = '', ...marks] = lang.split(/\s+/);
	return { line, language, marks, text };
}

function readHtml(raw: string, line: number, page: { links: Link[]; anchors: Set<string> }): void {
	for (const [, target = ''] of raw.matchAll(HTML_LINK)) page.links.push({ line, target });
	for (const [, anchor = ''] of raw.matchAll(HTML_ANCHOR)) page.anchors.add(anchor);
}

function innerOf(token: Token): readonly Token[] {
	if (token.type === 'list') return (token as Tokens.List).items;
	if (token.type !== 'table') return 'tokens' in token ? (token.tokens ?? []) : [];
	const { header, rows } = token as Tokens.Table;
	return [...header, ...rows.flat()].flatMap((cell) => cell.tokens);
}

/** Where the inner token begins; the indentation of a list is taken off its raw text, so its first line has to do. */
function linesBefore(outer: string, inner: string): number {
	const at = outer.indexOf(inner.split('\n').find((line) => line.trim() !== '') ?? inner);
	return at < 0 ? 0 : outer.slice(0, at).split('\n').length - 1;
}

function plainText({ tokens }: Tokens.Heading): string {
	const textOf = (token: Token): string => {
		const inner = 'tokens' in token ? token.tokens : undefined;
		return inner === undefined ? ('text' in token ? String(token.text) : '') : inner.map(textOf).join('');
	};
	return tokens.map(textOf).join('');
}
