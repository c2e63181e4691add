// What training programs print, as bytes that differ from line to line: for rows that are about logs.

/** Registered before the log is shown, as the action registers its own: a client secret, tokens, a key of storage. */
export const SECRETS: readonly string[] = [
	'Zk8Q~bench.secret_of-nothing.0123456789ab',
	`eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.${wordOf(1, 900)}.${wordOf(2, 342)}`,
	`eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.${wordOf(3, 900)}.${wordOf(4, 342)}`,
	`ghs_${wordOf(5, 36)}`,
	`${wordOf(6, 43)}/${wordOf(7, 42)}==`,
];

/** A line in so many is long: an array or a table that somebody printed. */
const LONG = 20_000;
const LONG_LENGTH = 150_000;

/** About so many bytes of whole lines. The same for the same number. */
export function logText(bytes: number): Buffer {
	const lines: string[] = [];
	let length = 0;
	for (let number = 0; length < bytes; number += 1) {
		const line = number % LONG === LONG / 2 ? arrayLine(number) : lineOf(number);
		lines.push(line);
		length += line.length + 1;
	}
	return Buffer.from(`${lines.join('\n')}\n`);
}

function lineOf(number: number): string {
	const loss = (2 / (1 + number / 1000) + (number % 7) / 100).toFixed(4);
	const time = `2026-07-01 10:${two(number / 60)}:${two(number)},${String(number % 1000).padStart(3, '0')}`;
	const step = `epoch ${Math.floor(number / 500)} step ${number % 500}`;
	// Rare things, each at its own distance.
	if (number % 1_009 === 0) return `::error file=train.py,line=${number % 300}::loss is ${loss}`;
	if (number % 1_013 === 0) return `##[group]Epoch ${number}`;
	if (number % 2_003 === 0) return `connecting with key ${SECRETS[(number / 2_003) % SECRETS.length]}`;
	if (number % 2_011 === 0) {
		return `GET https://bench.blob.core.windows.net/data/part-${number}?sv=2021-12-02&sr=c&sig=${wordOf(number, 43)}%3D 200`;
	}
	if (number % 499 === 0) return `  ✓ précision ${loss} · 学習率 0.00${number % 10}`;
	switch (number % 10) {
		case 0:
			return `{'loss': ${loss}, 'grad_norm': ${(number % 97) / 13}, 'learning_rate': 4.9e-05, 'epoch': ${number / 500}}`;
		case 1:
			return `\u001b[32mINFO\u001b[0m ${time} trainer.py:${number % 900} ${step} loss=${loss}`;
		case 2:
			return barOf(number);
		case 3:
			return `  File "/opt/miniconda/lib/python3.12/site-packages/torch/nn/modules/module.py", line ${number % 2000}, in forward`;
		case 4:
			return '';
		default:
			return `${time} INFO ${step} loss=${loss} accuracy=${(number % 100) / 100} examples/s=${1000 + (number % 333)} gpu_mem=11.2GB`;
	}
}

/** Three states of a bar that overwrite each other. */
function barOf(number: number): string {
	const part = number % 100;
	return [part, part + 1, part + 2]
		.map((percent) => `Train: ${percent}%|${'#'.repeat(percent / 10)}| ${percent * 10}/1000 [00:12<01:48, 8.3it/s]`)
		.join('\r');
}

function arrayLine(number: number): string {
	let line = 'embedding: [';
	for (let place = 0; line.length < LONG_LENGTH; place += 1) line += `${((number * 31 + place * 17) % 9973) / 9973}, `;
	return `${line}...]`;
}

/** Letters and digits that look like chance. */
function wordOf(seed: number, length: number): string {
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
	let state = seed * 2_654_435_761 + 1;
	return Array.from({ length }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return letters[state >>> 26];
	}).join('');
}

function two(value: number): string {
	return String(Math.floor(value) % 60).padStart(2, '0');
}
