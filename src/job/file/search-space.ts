// The search space of a sweep: what each parameter may be, and how trials pick from it.

import { type Json, type JsonObject, jsonObject } from '../../json.ts';
import { describe, listOf, MapReader, mapOf, type Reader } from '../../yaml/checks.ts';
import { integer, json, number, word } from '../../yaml/values.ts';

const ARGUMENTS = {
	choice: ['values'],
	randint: ['upper'],
	uniform: ['min_value', 'max_value'],
	loguniform: ['min_value', 'max_value'],
	quniform: ['min_value', 'max_value', 'q'],
	qloguniform: ['min_value', 'max_value', 'q'],
	normal: ['mu', 'sigma'],
	lognormal: ['mu', 'sigma'],
	qnormal: ['mu', 'sigma', 'q'],
	qlognormal: ['mu', 'sigma', 'q'],
} as const;

/** How a parameter is drawn. */
export type DistributionName = keyof typeof ARGUMENTS;

/** What one parameter may be: a distribution with its arguments, by the names that the file uses. */
export interface SearchParameter {
	readonly type: DistributionName;
	readonly settings: ReadonlyMap<string, SearchValue>;
}

/** An argument of a distribution: a number, or the values of a choice, which may hold further parameters. */
export type SearchValue = Json | readonly ChoiceValue[];

/** One value of a choice: a plain one, or a set of parameters that go together. */
export type ChoiceValue =
	| { readonly form: 'plain'; readonly value: Json }
	| { readonly form: 'nested'; readonly members: ReadonlyMap<string, SearchParameter | Json> };

/** A reader of one parameter of a search space. */
export const searchParameter: Reader<SearchParameter> = (node, reading) => {
	const map = new MapReader(node, reading, 'a parameter of the search space');
	const type = map.required('type', word(...(Object.keys(ARGUMENTS) as DistributionName[])));
	const settings = new Map<string, SearchValue>();
	for (const name of ARGUMENTS[type]) {
		settings.set(name, map.required(name, argumentReader(name)));
	}
	map.done();
	return { type, settings };
};

function argumentReader(name: string): Reader<SearchValue> {
	return name === 'values' ? listOf(choiceValue) : name === 'upper' ? integer : number;
}

const choiceValue: Reader<ChoiceValue> = (node, reading) => {
	if (node.kind !== 'map') {
		if (node.kind === 'list') {
			reading.fault(node.at, `A value of a choice is a plain value or a mapping, not ${describe(node)}.`);
		}
		return { form: 'plain', value: json(node, reading) };
	}
	const members = mapOf<SearchParameter | Json>((value, within) =>
		value.kind === 'map' ? searchParameter(value, within) : json(value, within),
	)(node, reading);
	return { form: 'nested', members };
};

/** A reader of a `search_space`. */
export const searchSpace: Reader<ReadonlyMap<string, SearchParameter>> = mapOf(searchParameter);

/** A parameter as a sweep job's body holds it: `["uniform", [0, 1]]`; the values of a choice are nested once more. */
export function searchParameterBody(parameter: SearchParameter): Json {
	return [
		parameter.type,
		[...parameter.settings.values()].map((value) => (isChoices(value) ? value.map(choiceBody) : value)),
	];
}

function choiceBody(choice: ChoiceValue): Json {
	if (choice.form === 'plain') {
		return choice.value;
	}
	return Object.fromEntries(
		[...choice.members].map(([key, member]) => [key, isParameter(member) ? searchParameterBody(member) : member]),
	);
}

/** A parameter as a node of a pipeline holds it: in the words of the file. */
export function searchParameterNode(parameter: SearchParameter): JsonObject {
	const settings = [...parameter.settings].map(([key, value]) => [
		key,
		isChoices(value) ? value.map(choiceNode) : value,
	]);
	return jsonObject({ type: parameter.type, ...(Object.fromEntries(settings) as JsonObject) });
}

function choiceNode(choice: ChoiceValue): Json {
	if (choice.form === 'plain') {
		return choice.value;
	}
	return Object.fromEntries(
		[...choice.members].map(([key, member]) => [key, isParameter(member) ? searchParameterNode(member) : member]),
	);
}

function isChoices(value: SearchValue): value is readonly ChoiceValue[] {
	return Array.isArray(value);
}

function isParameter(member: SearchParameter | Json): member is SearchParameter {
	return typeof member === 'object' && member !== null && 'settings' in member && member.settings instanceof Map;
}
