// A report without any secret, made before its texts are escaped for Markdown: an escaped secret is not found any more.
import type { RunReport } from './run-report.ts';

/** A copy of the report in which every text has gone through `redact`. The event's payload, which nobody shows, is left out. */
export function redactedReport(report: RunReport, redact: (text: string) => string): RunReport {
	const copy = (value: unknown): unknown => {
		if (typeof value === 'string') return redact(value);
		if (typeof value !== 'object' || value === null) return value;
		if (Array.isArray(value)) return value.map(copy);
		if (value instanceof Map) return new Map([...value].map(([key, item]) => [copy(key), copy(item)]));
		if (value instanceof Error) return copyError(value);
		return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), copy(item)]));
	};
	// What an error is decides how it is shown, so the copy is of the same class. Its cause and stack are not shown.
	const copyError = (error: Error): Error => {
		const { cause: _, stack: __, ...shown } = { ...error, message: error.message };
		return Object.assign(Object.create(Object.getPrototypeOf(error)) as Error, copy(shown));
	};
	return copy({ ...report, run: { ...report.run, event: undefined } }) as RunReport;
}
