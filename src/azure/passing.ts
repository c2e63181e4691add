// Which failures of a request may pass by themselves, by the answer's status or the network's code.

/** Statuses after which the same request may go well later. */
export const PASSING_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Codes of node and undici for a network that may be well again in a moment. */
export const PASSING_CODES: ReadonlySet<string> = new Set([
	'ECONNRESET',
	'ECONNREFUSED',
	'ETIMEDOUT',
	'EPIPE',
	'EAI_AGAIN',
	'ENETUNREACH',
	'EHOSTUNREACH',
	'UND_ERR_SOCKET',
	'UND_ERR_CONNECT_TIMEOUT',
	'UND_ERR_HEADERS_TIMEOUT',
	'UND_ERR_BODY_TIMEOUT',
]);

/** The code of an error or of what caused it, e.g. `ECONNRESET`; undefined where none has one. */
export function networkCode(error: unknown): string | undefined {
	// By shape, not by class: an error of node's own need not be an instance of this realm's Error.
	for (let here = error; typeof here === 'object' && here !== null; here = 'cause' in here ? here.cause : undefined) {
		if ('code' in here && typeof here.code === 'string') return here.code;
		// Addresses of both families failed: the reasons are inside.
		if ('errors' in here && Array.isArray(here.errors) && here.errors.length > 0) return networkCode(here.errors[0]);
	}
	return undefined;
}
