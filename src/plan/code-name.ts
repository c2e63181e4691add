// Names for code assets that are only planned. In a real run chance gives them; a plan is to be the same for the same files.

/** A name in the form of those that a real run draws (a UUID), made from the hash of the content (in hexadecimal digits). */
export function plannedCodeName(hash: string): string {
	const digits = hash.padEnd(32, '0');
	const groups = [digits.slice(0, 8), digits.slice(8, 12), `8${digits.slice(13, 16)}`, `8${digits.slice(17, 20)}`];
	return [...groups, digits.slice(20, 32)].join('-');
}
