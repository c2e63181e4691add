// What must never be shown, and its removal from every text that leaves the process.

/** Shorter values are not registered: hiding `a` or `true` would garble the log and hide nothing. */
const SHORTEST = 6;

/** What is secret by its form alone, whoever issued it: signatures of signed URLs, bearer tokens. */
const BY_FORM: readonly (readonly [RegExp, string])[] = [
	// Looking back from the rare word is ten times as fast as looking on from each sign that may stand before it.
	[/(?<=[?&;]|%26|\\u0026|&amp;)(sig|signature)(=|%3D)[^&\s"'<>\\;,)\]}]+/gi, '$1$2***'],
	// Quoted alone, as in the text of an error. Shorter ones, and numbers, are not signatures.
	[/\bsig(=|%3D)(?=[\w%+/-]{16})[\w%+/=-]+/gi, 'sig$1***'],
	[/\b(bearer|sharedkey|sharedaccesssignature)(\s+|%20)[\w.~+/=:%-]{8,}/gi, '$1$2***'],
	[
		/\b(AccountKey|SharedAccessKey|client_secret|clientSecret|client_assertion)(["']?\s*[=:]\s*["']?)[^\s"'&;,}]{6,}/gi,
		'$1$2***',
	],
];

/** What JSON web tokens are made of. */
const DOTTED = /[\w.-]*/y;
const NOT_DOTTED = /[^\w.-]/;
/** A shorter word holds no token. */
const SHORTEST_TOKEN = 21;
const HEADER = /\beyJ[\w-]{8,}$/;

/** Looks at the words that hold the beginning of a token, at each letter of them once. */
function withoutTokens(text: string): string {
	let shown = '';
	let done = 0;
	for (let found = text.indexOf('eyJ'); found >= 0; found = text.indexOf('eyJ', done)) {
		let from = found;
		while (from > done && !NOT_DOTTED.test(text[from - 1] ?? '')) from -= 1;
		DOTTED.lastIndex = found;
		const to = found + (DOTTED.exec(text)?.[0].length ?? 0);
		shown += text.slice(done, from) + withoutTokensIn(text.slice(from, to));
		done = to;
	}
	return done === 0 ? text : shown + text.slice(done);
}

function withoutTokensIn(word: string): string {
	if (word.length < SHORTEST_TOKEN) return word;
	const parts = word.split('.');
	for (let place = 0; place + 2 < parts.length; place += 1) {
		const [header = '', payload = ''] = [parts[place], parts[place + 1]];
		if (payload.length < 8 || !HEADER.test(header)) continue;
		parts.splice(place, 3, header.replace(HEADER, '***'));
	}
	return parts.join('.');
}

/** The secrets of one run. */
export interface Secrets {
	/** Registers a value, in the encodings it may turn up in. A value of several lines is registered line by line. */
	add(value: string): void;
	/** The text with every secret in it replaced by `***`. */
	redact(text: string): string;
	/**
	 * How many characters at the end of a text may be the beginning of a registered secret: whoever divides a text must not
	 * divide it there.
	 */
	held(text: string): number;
	/** The registered values themselves, for checks that none is about to be sent. */
	values(): readonly string[];
}

/** An empty register of secrets. */
export function createSecrets(): Secrets {
	const values = new Set<string>();
	let pattern: RegExp | undefined;
	let forms: readonly string[] | undefined;
	const allForms = (): readonly string[] => {
		forms ??= formsOf(values);
		return forms;
	};
	return {
		add(value) {
			const lines = value.split(/\r?\n/).map((line) => line.trim());
			for (const secret of [value.trim(), ...lines]) {
				if (secret.length >= SHORTEST) values.add(secret);
			}
			[pattern, forms] = [undefined, undefined];
		},
		redact(text) {
			pattern ??= patternOf(allForms());
			let shown = values.size === 0 ? text : text.replace(pattern, '***');
			for (const [form, replacement] of BY_FORM) shown = shown.replace(form, replacement);
			return withoutTokens(shown);
		},
		held(text) {
			const last = text.at(-1);
			let most = 0;
			for (const form of last === undefined ? [] : allForms()) {
				for (let length = Math.min(form.length - 1, text.length); length > most; length -= 1)
					if (form[length - 1] === last && text.endsWith(form.slice(0, length))) most = length;
			}
			return most;
		},
		values: () => [...values],
	};
}

/** All forms of all values, longest first: a secret that contains another must go as a whole. */
function formsOf(values: ReadonlySet<string>): string[] {
	const variants = new Set([...values].flatMap(encodingsOf));
	return [...variants].filter((v) => v.length >= SHORTEST).sort((a, b) => b.length - a.length);
}

function patternOf(forms: readonly string[]): RegExp {
	return new RegExp(forms.map(escapeForPattern).join('|') || '(?!)', 'g');
}

const XML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** How a value may stand in a text: as it is, in a URL, in JSON or XML, and in the base64 of a text that holds it. */
export function encodingsOf(value: string): string[] {
	const json = JSON.stringify(value).slice(1, -1);
	// An error within an error is JSON within JSON.
	const texts = [json, JSON.stringify(json).slice(1, -1), value.replace(/[&<>"]/g, (letter) => XML[letter] ?? letter)];
	return [value, ...urlsOf(value), ...texts, ...base64Of(value)];
}

/** As JavaScript, Python and others escape it for a URL: each leaves other letters alone, or writes the codes small. */
function urlsOf(value: string): string[] {
	const url = encodeURIComponent(value);
	const strict = url.replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
	const forms = [url, strict].flatMap((form) => [form, form.replaceAll('%2F', '/'), form.replaceAll('%20', '+')]);
	return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
}

/** Base64 at each of the three alignments, without the characters that depend on the neighbours. */
function base64Of(value: string): string[] {
	const forms: string[] = [];
	for (const offset of [0, 1, 2]) {
		const shifted = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
		const whole = shifted.subarray(0, shifted.length - (shifted.length % 3));
		const text = whole.toString('base64').slice(offset === 0 ? 0 : 4);
		if (text.length >= 8) forms.push(text, text.replaceAll('+', '-').replaceAll('/', '_'));
	}
	return forms;
}

function escapeForPattern(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
