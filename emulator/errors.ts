// The error bodies of Azure: Resource Manager's own, those of the Azure ML front end behind it, and those of the data plane.

import { randomBytes } from 'node:crypto';
import { type Answer, AnswerError } from './server.ts';

/** The region that every emulated workspace is in. */
export const LOCATION = 'eastus';

/** A nested reason, as `details` of an error holds them. */
export interface ErrorDetail {
	code: string;
	message: string;
	target?: string;
}

/** What an Azure ML error holds besides code and message. */
export interface ServiceErrorExtras {
	details?: ErrorDetail[];
	/** Codes from the outermost to the innermost, as `InnerError` nests them. */
	inner?: string[];
	target?: string;
	/** Milliseconds since 1970; the real time when absent. */
	at?: number;
}

/** Makes an error of Resource Manager itself: code and message, nothing more. */
export function armError(status: number, code: string, message: string, headers?: Record<string, string>): AnswerError {
	return new AnswerError({
		status,
		headers: { 'x-ms-failure-cause': 'gateway', ...headers },
		json: { error: { code, message } },
	});
}

/** Makes an error of the Azure ML front end, with the useful code in `details` or deep in `additionalInfo`. */
export function serviceError(
	status: number,
	code: string,
	message: string,
	extras: ServiceErrorExtras = {},
): AnswerError {
	return new AnswerError({
		status,
		headers: { 'x-ms-response-type': 'error' },
		json: { error: serviceErrorBody(code, message, extras) },
	});
}

/** Gives the `error` object of the Azure ML front end, as failed operations carry it too. */
export function serviceErrorBody(code: string, message: string, extras: ServiceErrorExtras = {}): object {
	const details = (extras.details ?? []).map((detail) => ({ ...detail, details: [], additionalInfo: [] }));
	const additionalInfo = [
		info('ComponentName', 'managementfrontend'),
		info('Correlation', { operation: randomBytes(16).toString('hex'), request: randomBytes(8).toString('hex') }),
		info('Environment', LOCATION),
		info('Location', LOCATION),
		info('Time', isoTime(extras.at ?? Date.now())),
		...(extras.inner ? [info('InnerError', nest(extras.inner))] : []),
	];
	return { code, message, ...(extras.target ? { target: extras.target } : {}), details, additionalInfo };
}

/** Makes an error of the data plane (run history, metrics, artifacts, data). */
export function dataPlaneError(status: number, message: string, inner: string[], code = 'UserError'): AnswerError {
	const error = {
		code,
		severity: null,
		message,
		messageFormat: null,
		messageParameters: null,
		referenceCode: null,
		detailsUri: null,
		target: null,
		details: [],
		innerError: nest(inner),
		debugInfo: null,
		additionalInfo: null,
	};
	const correlation = { operation: randomBytes(16).toString('hex'), request: randomBytes(8).toString('hex') };
	return new AnswerError({
		status,
		headers: { 'x-ms-response-type': 'error' },
		json: { error, correlation, environment: LOCATION, location: LOCATION, time: isoTime(Date.now()) },
	});
}

/** Makes an answer without a body into something that can be thrown. */
export function bare(answer: Answer): AnswerError {
	return new AnswerError(answer);
}

/** Writes a time as Azure ML does: ISO 8601 with an explicit offset. */
export function isoTime(milliseconds: number): string {
	return new Date(milliseconds).toISOString().replace('Z', '0000+00:00');
}

function info(type: string, value: unknown): object {
	return { type, info: { value } };
}

function nest(codes: string[]): object | null {
	const [code, ...rest] = codes;
	return code === undefined ? null : { code, innerError: nest(rest) };
}
