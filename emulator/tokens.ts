// Signs and checks the tokens of the emulated Entra tenant and of the emulated GitHub issuer.

import {
	type CryptoKey,
	errors,
	exportJWK,
	generateKeyPair,
	type JWK,
	type JWTPayload,
	jwtVerify,
	SignJWT,
} from 'jose';

/** Why a token was not taken. */
export type TokenFault = 'signature' | 'expired' | 'early' | 'issuer' | 'audience';

/** What a token must say. `audience` lists every acceptable one. */
export interface Expected {
	issuer?: string;
	audience?: string[];
}

/** A checked token, or why it does not hold. `claims` of a faulty one are there when its signature is good. */
export type Checked = { claims: JWTPayload; fault?: never } | { fault: TokenFault; claims?: JWTPayload };

/** Signs tokens with a key of its own, and checks them. */
export class TokenIssuer {
	readonly keyId: string;
	readonly #keys: { publicKey: CryptoKey; privateKey: CryptoKey };
	readonly #clock: () => number;

	private constructor(keyId: string, keys: { publicKey: CryptoKey; privateKey: CryptoKey }, clock: () => number) {
		this.keyId = keyId;
		this.#keys = keys;
		this.#clock = clock;
	}

	/** Makes an issuer with a new RSA key. `clock` gives milliseconds since 1970. */
	static async create(keyId: string, clock: () => number): Promise<TokenIssuer> {
		return new TokenIssuer(keyId, await generateKeyPair('RS256'), clock);
	}

	/** Signs claims into a JWT that holds for `lifeSeconds` from now. */
	async sign(claims: JWTPayload, lifeSeconds: number): Promise<string> {
		const now = Math.floor(this.#clock() / 1000);
		return new SignJWT({ iat: now, nbf: now, exp: now + lifeSeconds, ...claims })
			.setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.keyId })
			.sign(this.#keys.privateKey);
	}

	/** Checks signature, times, issuer and audience, in this order. */
	async check(token: string, expected: Expected): Promise<Checked> {
		let claims: JWTPayload;
		try {
			// Times are judged below, so that a fault can still name the claims.
			const verified = await jwtVerify(token, this.#keys.publicKey, {
				algorithms: ['RS256'],
				currentDate: new Date(0),
				clockTolerance: Number.MAX_SAFE_INTEGER / 1000,
			});
			claims = verified.payload;
		} catch (error) {
			if (error instanceof errors.JOSEError) return { fault: 'signature' };
			throw error;
		}
		const now = this.#clock() / 1000;
		if (expected.issuer !== undefined && claims.iss !== expected.issuer) return { fault: 'issuer', claims };
		if (claims.exp === undefined || claims.exp <= now) return { fault: 'expired', claims };
		if (claims.nbf !== undefined && claims.nbf > now + 300) return { fault: 'early', claims };
		if (expected.audience && !expected.audience.some((one) => one === claims.aud)) return { fault: 'audience', claims };
		return { claims };
	}

	/** Gives the public key as a JSON web key. */
	async publicKey(): Promise<JWK> {
		return { ...(await exportJWK(this.#keys.publicKey)), kid: this.keyId, use: 'sig', alg: 'RS256' };
	}
}
