// What PyYAML makes of a plain scalar (YAML 1.1 with its own corners), and where a YAML 1.2 reader would differ.
import type { ScalarType } from './node.ts';

/** A resolved scalar: its type, its JavaScript value, and the text that Python's str() gives. */
export interface Resolved {
	readonly type: ScalarType;
	readonly value: string | number | bigint | boolean | null;
	readonly text: string;
}

const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const TRUE = /^(?:yes|true|on)$/i;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INT =
	/^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
	/^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME =
	/^([0-9]{4})-([0-9][0-9]?)-([0-9][0-9]?)(?:[Tt]|[ \t]+)([0-9][0-9]?):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+][0-9][0-9]?)(?::([0-9]{2}))?))?$/;

// YAML 1.2 core schema, to say where the two differ.
const CORE_BOOL = /^(?:true|True|TRUE|false|False|FALSE)$/;
const CORE_INT = /^[-+]?[0-9]+$|^0o[0-7]+$|^0x[0-9a-fA-F]+$/;
const CORE_FLOAT =
	/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;

/** Resolves a plain (unquoted) scalar as PyYAML's SafeLoader does. */
export function resolvePlain(written: string): Resolved {
	if (BOOL.test(written)) {
		return boolScalar(written);
	}
	if (NULL.test(written)) {
		return { type: 'null', value: null, text: 'None' };
	}
	if (INT.test(written)) {
		return intScalar(written);
	}
	if (FLOAT.test(written)) {
		return floatScalar(written);
	}
	if (DATE.test(written) || TIME.test(written)) {
		return timestampScalar(written);
	}
	return { type: 'str', value: written, text: written };
}

/** Resolves a scalar that carries a tag of the YAML core set. Gives undefined where the text does not fit the tag. */
export function resolveTagged(tag: string, written: string): Resolved | undefined {
	switch (tag.replace('tag:yaml.org,2002:', '')) {
		case 'str':
			return { type: 'str', value: written, text: written };
		case 'null':
			return { type: 'null', value: null, text: 'None' };
		case 'bool':
			return BOOL.test(written) ? boolScalar(written) : undefined;
		case 'int':
			return INT.test(written) ? intScalar(written) : undefined;
		case 'float':
			return FLOAT.test(written) || /^[-+]?[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?$/.test(written)
				? floatScalar(written)
				: undefined;
		case 'timestamp':
			return DATE.test(written) || TIME.test(written) ? timestampScalar(written) : undefined;
		default:
			return undefined;
	}
}

/** What a YAML 1.2 reader would make of a plain scalar, in words, where that differs from PyYAML; else undefined. */
export function otherReading(written: string, resolved: Resolved): string | undefined {
	if (CORE_BOOL.test(written) || NULL.test(written)) {
		return undefined;
	}
	if (CORE_INT.test(written)) {
		const value = BigInt(written.replace(/^[-+]/, ''));
		const same = resolved.type === 'int' && BigInt(resolved.text.replace('-', '')) === value;
		return same ? undefined : `the number ${written.startsWith('-') ? '-' : ''}${value}`;
	}
	if (CORE_FLOAT.test(written)) {
		return resolved.type === 'float' ? undefined : `the number ${pythonFloat(Number(written))}`;
	}
	return resolved.type === 'str' ? undefined : 'text';
}

/** A float as Python's str() prints it: `1e-05`, `1.0`, `inf`. */
export function pythonFloat(value: number): string {
	if (!Number.isFinite(value)) {
		return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
	}
	if (value === 0) {
		return Object.is(value, -0) ? '-0.0' : '0.0';
	}
	const [digits = '', exponent = '0'] = value.toExponential().split('e');
	const power = Number(exponent);
	if (power < -4 || power >= 16) {
		return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
	}
	const plain = power < 0 ? value.toFixed(Math.max(0, digits.replace(/[-.]/g, '').length - 1 - power)) : String(value);
	return plain.includes('.') ? plain : `${plain}.0`;
}

function boolScalar(written: string): Resolved {
	const value = TRUE.test(written);
	return { type: 'bool', value, text: value ? 'True' : 'False' };
}

function intScalar(written: string): Resolved {
	const digits = written.replaceAll('_', '').replace(/^[-+]/, '');
	const size = digits.includes(':') ? sexagesimal(digits) : digits === '' ? 0n : BigInt(withPrefix(digits));
	const big = written.startsWith('-') ? -size : size;
	const value = big >= BigInt(Number.MIN_SAFE_INTEGER) && big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
	return { type: 'int', value, text: String(big) };
}

function withPrefix(digits: string): string {
	return /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
}

function sexagesimal(digits: string): bigint {
	return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n);
}

function floatScalar(written: string): Resolved {
	const sign = written.startsWith('-') ? -1 : 1;
	const digits = written.replaceAll('_', '').replace(/^[-+]/, '').toLowerCase();
	let value: number;
	if (digits === '.inf') {
		value = Number.POSITIVE_INFINITY;
	} else if (digits === '.nan') {
		value = Number.NaN;
	} else if (digits.includes(':')) {
		value = digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
	} else {
		value = Number(digits);
	}
	return { type: 'float', value: sign * value, text: pythonFloat(sign * value) };
}

/** Whether what is written like a date or a time is one: Python, and so the CLI, fails on a 30th of February. */
export function isRealTime(written: string): boolean {
	const parts = TIME.exec(written) ?? /^(....)-(..)-(..)$/.exec(written) ?? [];
	const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
	const date = new Date(0);
	date.setUTCFullYear(year, month - 1, day);
	const isDay = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
	const shift = Math.abs(Number(parts[9] ?? 0)) * 60 + Number(parts[10] ?? 0);
	return isDay && hour < 24 && minute < 60 && second < 60 && shift < 24 * 60;
}

// A date prints as written; a time prints as Python's datetime does, which keeps the offset and drops the T.
function timestampScalar(written: string): Resolved {
	const time = TIME.exec(written);
	if (time === null) {
		return { type: 'timestamp', value: written, text: written };
	}
	const [
		,
		year = '',
		month = '',
		day = '',
		hour = '',
		minute = '',
		second = '',
		fraction = '',
		zone,
		offset,
		offsetMinutes,
	] = time;
	const two = (part: string): string => part.padStart(2, '0');
	const micro = fraction === '' || /^0*$/.test(fraction) ? '' : `.${fraction.slice(0, 6).padEnd(6, '0')}`;
	const shift =
		zone === undefined
			? ''
			: offset === undefined
				? '+00:00'
				: `${offset[0]}${two(offset.slice(1))}:${offsetMinutes ?? '00'}`;
	const text = `${year}-${two(month)}-${two(day)} ${two(hour)}:${minute}:${second}${micro}${shift}`;
	return { type: 'timestamp', value: text, text };
}
