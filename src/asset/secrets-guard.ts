// Notices a registered secret in the bytes of a file that is about to be uploaded. Which files never go is withheld.ts's.
import { createReadStream } from 'node:fs';
import { encodingsOf } from '../secrets.ts';

/** Looks for secrets in one file after the other. Nothing of a secret leaves it. */
export interface SecretsGuard {
	/** Takes the next bytes of the present file. */
	see(chunk: Buffer): void;
	/** Ends the present file, and gives the offset of the first byte of the first secret in it. */
	end(): number | undefined;
}

/** A guard against these values; each is looked for in UTF-8, in every form that is taken out of the log as well. */
export function createSecretsGuard(values: readonly string[]): SecretsGuard {
	const forms = new Set(values.filter((value) => value !== '').flatMap(encodingsOf));
	const needles = [...forms].map((form) => Buffer.from(form));
	const overlap = Math.max(0, ...needles.map((needle) => needle.length - 1));
	/** The last bytes that were seen. */
	let tail: Buffer = Buffer.alloc(0);
	/** How many bytes were seen. */
	let before = 0;
	let found: number | undefined;
	const firstIn = (bytes: Buffer): number | undefined => {
		const places = needles.map((needle) => bytes.indexOf(needle)).filter((place) => place >= 0);
		return places.length === 0 ? undefined : Math.min(...places);
	};
	return {
		see(chunk) {
			if (found !== undefined || needles.length === 0) return;
			// A secret may lie across the border of two chunks.
			const border = Buffer.concat([tail, chunk.subarray(0, overlap)]);
			const across = tail.length === 0 ? undefined : firstIn(border);
			const inside = firstIn(chunk);
			if (across !== undefined) found = before - tail.length + across;
			else if (inside !== undefined) found = before + inside;
			before += chunk.length;
			tail = Buffer.from(
				chunk.length >= overlap
					? chunk.subarray(chunk.length - overlap)
					: Buffer.concat([tail, chunk]).subarray(-overlap),
			);
		},
		end() {
			const result = found;
			tail = Buffer.alloc(0);
			before = 0;
			found = undefined;
			return result;
		},
	};
}

/** The number, from 1, of the line that holds the byte at this offset of a file. */
export async function lineAt(file: string, offset: number): Promise<number> {
	let line = 1;
	if (offset === 0) return line;
	for await (const chunk of createReadStream(file, { end: offset - 1 })) {
		for (const byte of chunk as Buffer) if (byte === 0x0a) line += 1;
	}
	return line;
}
