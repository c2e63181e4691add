// Checks the bodies of PUTs: against Microsoft's ARM template schema where that is at hand, else against own-schemas.ts.

import { existsSync, readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { serviceError } from '../errors.ts';
import { isObject, type Json } from './call.ts';
import { OWN_SCHEMAS } from './own-schemas.ts';

/** The kinds of resource whose bodies are checked, as the path spells them. */
export type BodyKind = keyof typeof OWN_SCHEMAS;

const ARM_SCHEMA = new URL(
	'../../../shared/spec/2025-09-01/arm-template-schema/Microsoft.MachineLearningServices.json',
	import.meta.url,
);
const ajv = new Ajv({ strict: false, allErrors: true, verbose: false });
ajv.addKeyword({
	keyword: 'anyCase',
	type: 'string',
	schemaType: 'array',
	// The front end reads the values of enumerations without regard to case.
	validate: (allowed: string[], value: string) => allowed.some((one) => one.toLowerCase() === value.toLowerCase()),
	error: { message: (context) => `must be one of ${(context.schema as string[]).join(', ')}` },
});
const validators = new Map<string, ValidateFunction>();
let loaded = false;

/** Tells whether Microsoft's schema is at hand. */
export function hasArmSchema(): boolean {
	return existsSync(ARM_SCHEMA);
}

/**
 * Refuses a body that the service's schema has no place for, with a 400 that names the path of the first fault.
 * `ownSchema` asks for the emulator's own schema although Microsoft's is at hand.
 */
export function checkBody(kind: BodyKind, body: Json, ownSchema = !hasArmSchema()): void {
	const key = `${kind} ${ownSchema}`;
	const validate = validators.get(key) ?? compile(kind, ownSchema);
	validators.set(key, validate);
	// A null stands for an absent value everywhere in these bodies.
	if (validate(withoutNulls(body))) return;
	const faults = (validate.errors ?? []).filter((error) => error.keyword !== 'if');
	const details = faults.map((error) => {
		const target = pathOf(error);
		return { code: 'InvalidPropertyValue', message: `${target}: ${error.message ?? 'is invalid'}.`, target };
	});
	const first = details[0];
	throw serviceError(400, 'ValidationError', `The request body is invalid. ${first?.message ?? ''}`.trim(), {
		details,
		inner: ['BadArgument', 'ArgumentInvalid'],
		...(first ? { target: first.target } : {}),
	});
}

function compile(kind: BodyKind, ownSchema: boolean): ValidateFunction {
	if (ownSchema) return ajv.compile(OWN_SCHEMAS[kind]);
	if (!loaded) ajv.addSchema(armSchema(), 'arm');
	loaded = true;
	return ajv.compile({ $ref: `arm#/resources/${kind}` });
}

/** Where the template's schema is known to be at odds with bodies that the service took in recorded traffic or samples. */
const CORRECTED = {
	FlavorData: { type: 'object', properties: { data: { type: 'object', additionalProperties: { type: 'string' } } } },
	Route: {
		type: 'object',
		required: ['path', 'port'],
		properties: { path: { type: 'string', minLength: 1 }, port: { type: 'integer' } },
	},
};

function armSchema(): Json {
	const document = JSON.parse(readFileSync(ARM_SCHEMA, 'utf8')) as {
		definitions: Json;
		resourceDefinitions: Record<string, Json>;
	};
	const resources: Json = {};
	for (const kind of Object.keys(OWN_SCHEMAS)) {
		const definition = document.resourceDefinitions[`workspaces_${kind}`];
		if (!definition) continue;
		// The template's own members are in the path and query of a request.
		const own = ['apiVersion', 'type', 'name', 'location'];
		const required = ((definition['required'] ?? []) as string[]).filter((name) => !own.includes(name));
		resources[kind] = { ...(readable(definition) as Json), required };
	}
	for (const resource of Object.values(resources)) {
		const { properties } = resource as { properties: Json };
		delete properties['apiVersion'];
		delete properties['type'];
		delete properties['name'];
	}
	return { definitions: { ...(readable(document.definitions) as Json), ...CORRECTED }, resources };
}

/**
 * Turns the schema of a template into one for a request body: no template expressions, no `additionalProperties: false`
 * of a base that does not know its subtypes, and subtypes chosen by their discriminator, which makes faults readable.
 */
function readable(schema: unknown): unknown {
	if (Array.isArray(schema)) return schema.map(readable);
	if (!isObject(schema)) return schema;
	const { oneOf } = schema;
	if (Array.isArray(oneOf)) {
		const plain = oneOf.filter((one) => !(isObject(one) && String(one['$ref']).endsWith('/expression')));
		const { oneOf: _, ...rest } = schema;
		if (plain.length === 1) return readable({ ...rest, ...(plain[0] as Json) });
		return { ...(readable(rest) as Json), allOf: plain.map(asCondition) };
	}
	const entries = Object.entries(schema)
		.filter(([name, value]) => !(name === 'additionalProperties' && value === false))
		.filter(([name]) => name !== 'description')
		// The template's schema knows no fractions: it has `integer` also for what REST calls a double.
		.map(([name, value]) => [name, name === 'type' && value === 'integer' ? 'number' : value] as const);
	const { enum: values, ...turned } = Object.fromEntries(entries.map(([name, value]) => [name, readable(value)]));
	if (!Array.isArray(values)) return values === undefined ? turned : { ...turned, enum: values };
	return { ...turned, anyCase: values };
}

function asCondition(choice: unknown): Json {
	const parts = isObject(choice) && Array.isArray(choice['allOf']) ? (choice['allOf'] as Json[]) : [];
	const [subtype, discriminator] = parts;
	if (!subtype || !discriminator) return {};
	// biome-ignore lint/suspicious/noThenProperty: the keyword of JSON schema
	return { if: discriminator, then: readable(subtype) };
}

function withoutNulls(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(withoutNulls);
	if (!isObject(value)) return value;
	const entries = Object.entries(value).filter(([, one]) => one !== null);
	return Object.fromEntries(entries.map(([name, one]) => [name, withoutNulls(one)]));
}

function pathOf(error: ErrorObject): string {
	const path = error.instancePath.split('/').slice(1).join('.').replaceAll('~1', '/').replaceAll('~0', '~');
	const missing = error.keyword === 'required' ? String(error.params['missingProperty']) : '';
	return [path, missing].filter(Boolean).join('.') || '(body)';
}
