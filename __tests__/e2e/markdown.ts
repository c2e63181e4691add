// A job summary as its reader sees it: GitHub's Markdown with the escapes taken back. Marks and tables stay as they are.

const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** The text that GitHub shows for an escaped Markdown text. */
export function readable(markdown: string): string {
	return markdown
		.replace(/\\([!-/:-@[-`{-~])/g, '$1')
		.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
		.replace(/&(lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
