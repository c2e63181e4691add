// Whether a version that the workspace has holds what a file says. The service rewrites what it is given (it adds defaults,
// turns booleans into text and short ids into long ones), so only what the file says is compared, in one spelling.
import { FileError } from '../errors.ts';
import { isObject, type Json, type JsonObject, jsonText } from '../json.ts';
import { loadYaml } from '../yaml/load.ts';
import type { YamlNode } from '../yaml/node.ts';
import { plainId, sameId } from './apply-spelling.ts';

/** The kinds of asset that are compared. */
export type ComparedKind = 'environments' | 'data' | 'components' | 'models';

/** One field in which a file and the workspace are not of one mind. */
export interface Difference {
	/** Where it is in the body: `image`, `inputs.epochs.default`. */
	readonly field: string;
	readonly file: Json | undefined;
	readonly workspace: Json | undefined;
}

/** What is content, by kind. Description, tags and a model's stage are not: they may change in the life of a version. */
const CONTENT: Readonly<Record<Exclude<ComparedKind, 'components'>, readonly string[]>> = {
	environments: ['image', 'condaFile', 'build', 'inferenceConfig', 'osType'],
	data: ['dataType', 'dataUri', 'referencedUris'],
	models: ['modelType', 'modelUri', 'flavors'],
};
/** What makes another asset when the workspace has it and the file does not. */
const TELLING = new Set([
	'image',
	'condaFile',
	'build',
	'inferenceConfig',
	'inputs',
	'outputs',
	'jobs',
	'command',
	'code',
]);
/** Maps of which every key counts, even one without a value: the author chose them all. */
const NAMED = /^(?:.*\.)?(?:inputs|outputs|jobs|environment_variables|environmentVariables)$|^condaFile(?:\.|$)/;
/** What a component's spec has besides its content. */
const LABELS = new Set(['name', 'version', 'display_name', 'description', 'tags', '$schema', '_source']);
/** Words of a set, whose letter case the service may change. */
const WORDS = /(?:^|\.)(?:type|mode|osType|dataType|modelType)$/;
/** Numbers that are sent as text. */
const NUMBERS = /\.(?:default|min|max)$/;

/**
 * The content of a file's body that the version in the workspace does not have.
 * @param ours `properties` of the body that would be sent
 * @param theirs `properties` of the version as the service gives it
 * @param workspaceId ARM id of the workspace
 */
export function contentDifferences(
	kind: ComparedKind,
	ours: JsonObject,
	theirs: JsonObject,
	workspaceId: string,
): readonly Difference[] {
	const comparison = new Comparison(workspaceId);
	if (kind === 'components') {
		comparison.maps('', ours['componentSpec'], theirs['componentSpec']);
	} else {
		comparison.fields('', CONTENT[kind], ours, theirs);
	}
	return comparison.found;
}

/** The names of what a file labels differently from the workspace: `description`, `tags.team`. */
export function labelDifferences(kind: ComparedKind, ours: JsonObject, theirs: JsonObject): readonly string[] {
	// A component's description comes back in its spec only.
	const [mine, there] = kind === 'components' ? [ours['componentSpec'], theirs['componentSpec']] : [ours, theirs];
	const comparison = new Comparison('');
	for (const label of ['description', 'tags', 'display_name', 'stage']) {
		comparison.value(label, isObject(mine) ? mine[label] : undefined, isObject(there) ? there[label] : undefined);
	}
	return comparison.found.map(({ field }) => field);
}

/** The difference, if any, in one setting of something without versions; letter case does not matter in these. */
export function settingDifferences(
	field: string,
	ours: Json | undefined,
	theirs: Json | undefined,
): readonly Difference[] {
	const same = isNothing(ours) || String(ours).toLowerCase() === String(theirs).toLowerCase();
	return same || isObject(ours) ? [] : [{ field, file: ours, workspace: theirs }];
}

/** `image is "a" in the file and "b" in the workspace`, the first few of them. */
export function tellDifferences(differences: readonly Difference[]): string {
	const told = differences.slice(0, MOST_TOLD).map(({ field, file, workspace }) => {
		return `\`${field}\` is ${shown(file)} in the file and ${shown(workspace)} in the workspace`;
	});
	const more = differences.length - told.length;
	return `${told.join('; ')}${more > 0 ? `; and ${more} more fields` : ''}.`;
}

const MOST_TOLD = 5;
const LONGEST_TOLD = 120;

function shown(value: Json | undefined): string {
	if (isNothing(value)) return 'absent';
	// What tells two ids apart is at their ends.
	const text = jsonText(value ?? null).replace(/\/?\bsubscriptions\/[^"]*?\/workspaces\/[^"/]+\//gi, '');
	return text.length > LONGEST_TOLD ? `${text.slice(0, LONGEST_TOLD)}…` : text;
}

class Comparison {
	readonly found: Difference[] = [];
	readonly #workspaceId: string;

	constructor(workspaceId: string) {
		this.#workspaceId = workspaceId;
	}

	/** Compares members of two objects; `above` is their place. */
	fields(above: string, keys: readonly string[], ours: JsonObject, theirs: JsonObject): void {
		for (const key of keys) this.value(above === '' ? key : `${above}.${key}`, ours[key], theirs[key]);
	}

	maps(field: string, ours: Json | undefined, theirs: Json | undefined): void {
		const [mine, there] = [isObject(ours) ? ours : {}, isObject(theirs) ? theirs : {}];
		const named = NAMED.test(field);
		const keys = [...new Set([...Object.keys(mine), ...Object.keys(there)])].filter(
			(key) => named || (!(LABELS.has(key) && field === '') && !key.startsWith('_')),
		);
		for (const key of keys) {
			const place = field === '' ? key : `${field}.${key}`;
			if (named && (mine[key] === undefined) !== (there[key] === undefined))
				this.#differs(place, mine[key], there[key]);
			else this.value(place, mine[key], there[key]);
		}
	}

	value(field: string, ours: Json | undefined, theirs: Json | undefined): void {
		if (isNothing(ours)) {
			const key = field.split('.').at(-1) ?? '';
			// A build context has no conda file, yet the service may give an empty one.
			if (!isNothing(theirs) && (TELLING.has(key) || NAMED.test(field))) this.#differs(field, ours, theirs);
		} else if (field === 'condaFile') {
			this.#conda(ours, theirs);
		} else if (isObject(ours)) {
			if (isObject(theirs) || isNothing(theirs)) this.maps(field, ours, theirs);
			else this.#differs(field, ours, theirs);
		} else if (Array.isArray(ours)) {
			this.#lists(field, ours, theirs);
		} else if (!this.#sameScalar(field, ours as Scalar, theirs)) {
			this.#differs(field, ours, theirs);
		}
	}

	#conda(ours: Json | undefined, theirs: Json | undefined): void {
		const [mine, there] = [condaOf(ours), condaOf(theirs)];
		if (isObject(mine) && isObject(there)) this.maps('condaFile', mine, there);
		else if (mine !== there) this.#differs('condaFile', ours, theirs);
	}

	#lists(field: string, ours: readonly Json[], theirs: Json | undefined): void {
		if (!Array.isArray(theirs) || theirs.length !== ours.length) this.#differs(field, ours, theirs);
		else for (const [place, item] of ours.entries()) this.value(`${field}.${place}`, item, theirs[place]);
	}

	#sameScalar(field: string, ours: Scalar, theirs: Json | undefined): boolean {
		if (theirs === undefined || theirs === null) return ours === false;
		if (isObject(theirs) || Array.isArray(theirs)) return false;
		const [mine, there] = [String(ours).trim(), String(theirs).trim()];
		if (mine === there) return true;
		if (typeof ours !== 'string' || NUMBERS.test(field)) {
			if (mine.toLowerCase() === there.toLowerCase()) return true;
			if (there !== '' && Number(mine) === Number(there)) return true;
		}
		if (WORDS.test(field) && mine.toLowerCase() === there.toLowerCase()) return true;
		return sameId(plainId(mine, this.#workspaceId), plainId(there, this.#workspaceId));
	}

	#differs(field: string, file: Json | undefined, workspace: Json | undefined): void {
		this.found.push({ field, file, workspace });
	}
}

type Scalar = string | number | bigint | boolean;

function isNothing(value: Json | undefined): boolean {
	if (value === undefined || value === null || value === '') return true;
	if (Array.isArray(value)) return value.length === 0;
	return isObject(value) && Object.keys(value).length === 0;
}

/** The content of a conda file: we send YAML and the service gives JSON, which is YAML too. Text that is neither stays. */
function condaOf(text: Json | undefined): Json {
	if (typeof text !== 'string' || text.trim() === '') return '';
	try {
		return plainYaml(loadYaml(text, 'condaFile', '/').root);
	} catch (error) {
		if (!(error instanceof FileError)) throw error;
		return text.trim();
	}
}

function plainYaml(node: YamlNode): Json {
	if (node.kind === 'scalar') return node.text;
	if (node.kind === 'list') return node.items.map(plainYaml);
	return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainYaml(value)]));
}
