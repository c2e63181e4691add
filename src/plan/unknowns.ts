// The words in braces that stand in a plan for what only a real run can know, and what each of them means. An ARM path or a
// name of Azure ML never has braces.
import { type Json, jsonText } from '../json.ts';

/** Words that stand for what is not known. */
export const UNKNOWN = {
	subscription: '{subscription-id}',
	resourceGroup: '{resource-group}',
	workspace: '{workspace}',
	location: '{location}',
	next: '{next}',
	latest: '{latest}',
	account: '{account}',
	container: '{container}',
	blobUri: '{blobUri}',
	detected: '{detected}',
} as const;

/** Stands for `{blobUri}` where a URL is wanted. No host can have this name. */
export const BLOB_URL = 'https://pending-upload.invalid/blobUri';

/** What the words mean, wherever they stand in a request. Those for the workspace are the same in all of a plan and are not marked. */
const WORDS: readonly (readonly [RegExp, string])[] = [
	[/\{next(?:\+\d+)?\}/, 'The next free version, which is not looked up without credentials.'],
	[/\{latest\}|azureml:[^"]+@latest/, 'The newest version, which is not looked up here.'],
	[/\{account\}/, 'The storage behind the datastore of the workspace.'],
	[/\{blobUri\}/, 'The address that the service gives for the upload.'],
	[/\{detected\}/, 'The folder with an `MLmodel` file among the artifacts of the job.'],
];
const NEW_CODE = 'The name of the new code asset: each run draws one; here it is made from the hash of the content.';

/** What is open in a planned request, in a sentence each. */
export function unknownsIn({ path, body }: { readonly path: string; readonly body: Json }): readonly string[] {
	const text = `${path} ${jsonText(body)}`;
	const open = WORDS.filter(([word]) => word.test(text)).map(([, meaning]) => meaning);
	// Requests are planned for new code only; code that exists has its own name.
	return path.includes('/codes/') ? [NEW_CODE, ...open] : open;
}

/** The `number`th version after the one that the service would call the next; 0 is that one itself. */
export function nextVersion(number: number): string {
	return number === 0 ? UNKNOWN.next : `{next+${number}}`;
}

/** A path with its words in braces as they are meant, not escaped for a URL. */
export function readablePath(path: string): string {
	return path.replace(
		/%7B([a-zA-Z-]+)(%2B\d+)?%7D/g,
		(_, word: string, more = '') => `{${word}${decodeURIComponent(more)}}`,
	);
}
