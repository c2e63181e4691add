// What this project asks of its workflows and of the workflows it shows, beyond what actionlint knows. Pure: text in,
// findings out. Which files are read is in lint-workflows.ts.
import { isMap, isScalar, LineCounter, type Pair, parseDocument, visit, type YAMLMap } from 'yaml';

/** One thing to mend, at a line of a file (counted from 1). */
export interface Finding {
	readonly file: string;
	readonly line: number;
	readonly message: string;
}

const USES = /^\s*(?:-\s+)?uses:\s*(?<what>.*?)\s*$/;
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
const THIS_ACTION = /^\.\/$|(?:^|\/)azure-ml-action@/;

/** Every `uses:` of someone else's action that is not pinned as `owner/name@<40 hex digits> # vX.Y.Z`. */
export function unpinnedUses(file: string, text: string): Finding[] {
	return text.split('\n').flatMap((content, index) => {
		const what = USES.exec(content)?.groups?.['what'];
		if (what === undefined || what.startsWith('./') || PINNED.test(what)) {
			return [];
		}
		const message = `"${what}" is not pinned. Write it as owner/name@<commit id of 40 hex digits> # vX.Y.Z.`;
		return [{ file, line: index + 1, message }];
	});
}

/** Every input given to this action (`uses: ./` or `…/azure-ml-action@…`) that is not one of `names`. */
export function unknownInputs(file: string, text: string, names: ReadonlySet<string>): Finding[] {
	const lines = new LineCounter();
	const found: Finding[] = [];
	visit(parseDocument(text, { lineCounter: lines }), {
		Map: (_, step) => {
			for (const { key } of usesThisAction(step) ? givenInputs(step) : []) {
				if (isScalar(key) && !names.has(String(key.value))) {
					const line = lines.linePos(key.range?.[0] ?? 0).line;
					found.push({ file, line, message: `action.yml has no input "${key.value}".` });
				}
			}
		},
	});
	return found;
}

function usesThisAction(step: YAMLMap): boolean {
	const uses = step.get('uses');
	return typeof uses === 'string' && THIS_ACTION.test(uses);
}

function givenInputs(step: YAMLMap): readonly Pair[] {
	const given = step.get('with');
	return isMap(given) ? given.items : [];
}
