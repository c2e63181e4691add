// Bytes -> slightly other bytes, by a chance that a seed decides. What the bytes mean is not known here.

/** Numbers from 0 (included) to 1 (excluded). */
export type Chance = () => number;

/** The largest input, in bytes. */
const LARGEST = 4 * 1024;
/** Bytes that mean something to one parser or another. */
const INTERESTING = [
	0, 9, 10, 13, 27, 32, 34, 35, 37, 38, 39, 42, 45, 46, 47, 58, 61, 63, 64, 91, 92, 93, 123, 125, 128, 194, 226, 239,
	255,
];

/** A mutator of inputs: a few changes at random places, words of `dictionary` and pieces of `others` among them. */
export function mutate(
	input: Buffer,
	others: readonly Buffer[],
	dictionary: readonly Buffer[],
	chance: Chance,
): Buffer {
	let bytes: Buffer = input;
	for (let turns = 1 + Math.floor(chance() ** 2 * 6); turns > 0; turns -= 1) {
		bytes = changed(bytes, others, dictionary, chance).subarray(0, LARGEST);
	}
	return bytes;
}

function changed(bytes: Buffer, others: readonly Buffer[], dictionary: readonly Buffer[], chance: Chance): Buffer {
	const upTo = (limit: number): number => Math.floor(chance() * limit);
	const place = upTo(bytes.length + 1);
	const length = 1 + upTo(Math.min(64, bytes.length - place));
	const put = (start: number, end: number, what: Uint8Array): Buffer =>
		Buffer.concat([bytes.subarray(0, start), what, bytes.subarray(end)]);
	const one = (byte: number): Uint8Array => Uint8Array.of(byte);
	switch (upTo(9)) {
		case 0:
			return put(place, place + 1, one(upTo(256)));
		case 1:
			return put(place, place + 1, one((bytes[place] ?? 0) ^ (1 << upTo(8))));
		case 2:
			return put(place, place, one(INTERESTING[upTo(INTERESTING.length)] ?? 0));
		case 3:
			return put(place, place + length, Buffer.alloc(0));
		case 4: {
			// Doubled, sometimes many times: what is nested or long is found so.
			const piece = bytes.subarray(place, place + length);
			return put(place, place, Buffer.concat(new Array(1 + Math.floor(chance() ** 4 * 400)).fill(piece)));
		}
		case 5: {
			const from = upTo(bytes.length);
			return put(place, place, bytes.subarray(from, from + length));
		}
		case 6: {
			const other = others[upTo(others.length)] ?? Buffer.alloc(0);
			const from = upTo(other.length);
			return put(place, place + (chance() < 0.5 ? length : 0), other.subarray(from, from + 1 + upTo(200)));
		}
		default:
			return put(place, place + (chance() < 0.3 ? length : 0), dictionary[upTo(dictionary.length)] ?? one(upTo(256)));
	}
}

/** A smaller input for which `fails` still holds, found by leaving out pieces. */
export function shrink(input: Buffer, fails: (bytes: Buffer) => boolean, most = 2_000): Buffer {
	let best = input;
	let left = most;
	for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
		for (let start = 0; start < best.length && left > 0; left -= 1) {
			const without = Buffer.concat([best.subarray(0, start), best.subarray(start + size)]);
			if (fails(without)) best = without;
			else start += size;
		}
	}
	return best;
}
