// The file of a plan: JSON, without anything secret.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, jsonText } from '../json.ts';
import type { PlannedRequest } from './plan.ts';

/** The keys of a body under which credentials stand, whatever their length. */
const CREDENTIAL = /password|privateKeyData|clientSecret|accountKey|sasToken/i;

/**
 * Writes the requests of a plan into a new folder below `temp`, one on each line of a JSON list.
 * @param redact takes the secrets out of a text
 * @returns the path of the file
 */
export function writePlan(requests: readonly PlannedRequest[], temp: string, redact: (text: string) => string): string {
	mkdirSync(temp, { recursive: true });
	const file = join(mkdtempSync(join(temp, 'azureml-plan-')), 'plan.json');
	writeFileSync(file, planText(requests, redact));
	return file;
}

/** The text of the file. `undecided` is left out where nothing is. */
export function planText(requests: readonly PlannedRequest[], redact: (text: string) => string): string {
	const lines = requests.map(({ method, path, body, undecided }) => {
		const open = undecided.length === 0 ? {} : { undecided };
		return jsonText({ method, path: redact(path), body: withoutSecrets(body, redact), ...open });
	});
	return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function withoutSecrets(value: Json | undefined, redact: (text: string) => string, key = '', within = ''): Json {
	if (typeof value === 'string') {
		// A datastore has its credentials in `secrets`, beside a word for their kind.
		const secret = CREDENTIAL.test(key) || (within === 'secrets' && key !== 'secretsType');
		return secret ? '***' : redact(value);
	}
	if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, redact, key, within));
	if (!isObject(value)) return value ?? null;
	const members = Object.entries(value).filter(([, member]) => member !== undefined);
	return Object.fromEntries(members.map(([name, member]) => [name, withoutSecrets(member, redact, name, key)]));
}
