// `node scripts/release-notes.ts vX.Y.Z`: prints what CHANGELOG.md says of that version, for the release's page.
// Needs node only, because the job that runs it may write to the repository and so installs nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The part of a changelog below `## [version]`, trimmed. `tag` is `vX.Y.Z`.
 * Throws when the tag is not of that form, is not package.json's version, or has no entry with text.
 */
export function releaseNotes(tag: string, changelog: string, packageVersion: string): string {
	const version = /^v(?<version>\d+\.\d+\.\d+)$/.exec(tag)?.groups?.['version'];
	if (version === undefined) {
		throw new Error(`"${tag}" is not a release tag. One looks like v1.2.3.`);
	}
	if (version !== packageVersion) {
		throw new Error(
			`The tag says ${version}, package.json says ${packageVersion}. Tag the commit that sets the version.`,
		);
	}
	const notes = sections(changelog).get(version);
	if (notes === undefined || notes === '') {
		throw new Error(`CHANGELOG.md says nothing below "## [${version}]". Move the entries of Unreleased there.`);
	}
	return notes;
}

function sections(changelog: string): Map<string, string> {
	const [, ...parts] = changelog.split(/^## \[/m);
	return new Map(
		parts.map((part) => {
			const [heading = '', ...body] = part.split('\n');
			return [heading.split(']')[0] ?? '', body.join('\n').trim()];
		}),
	);
}

if (import.meta.main) {
	const root = join(import.meta.dirname, '..');
	const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
	console.log(releaseNotes(process.argv[2] ?? '', readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), manifest.version));
}
