// Who may call: checks the bearer token of a request against the emulated tenant, as Resource Manager and the data plane do.

import type { JWTPayload } from 'jose';
import { armError } from './errors.ts';
import { entraIssuer, IDENTITY, type Platform, PUBLIC_ARM } from './platform.ts';
import type { AnswerError, FaceRequest } from './server.ts';

/** The audiences of Resource Manager: its own address, and that of the public cloud for clients that know no other. */
export function armAudiences(platform: Platform): string[] {
	return [platform.origins.arm, PUBLIC_ARM];
}

/** Gives the claims of the request's access token. Throws a 401 as Resource Manager words it. */
export async function authorize(platform: Platform, request: FaceRequest, audience: string[]): Promise<JWTPayload> {
	const token = bearerOf(request);
	if (token === undefined) {
		throw refuse(platform, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
	}
	const issuer = entraIssuer(IDENTITY.tenantId);
	const { fault, claims } = await platform.entraKeys.check(token, { issuer, audience });
	if (fault === undefined) return claims;
	if (fault === 'expired' || fault === 'early') {
		const expiry = new Date((claims?.exp ?? 0) * 1000).toUTCString();
		const now = new Date(platform.clock()).toUTCString();
		throw refuse(
			platform,
			'ExpiredAuthenticationToken',
			`The access token expiry UTC time '${expiry}' is earlier than current UTC time '${now}'.`,
		);
	}
	if (fault === 'audience') {
		throw refuse(
			platform,
			'InvalidAuthenticationTokenAudience',
			`The access token has been obtained for wrong audience or resource '${claims?.aud}'. It should exactly match with one of the allowed audiences '${audience.join("','")}'.`,
		);
	}
	throw refuse(platform, 'InvalidAuthenticationToken', 'The access token is invalid.');
}

/** Gives the token of an `Authorization: Bearer` header; `undefined` without one. */
export function bearerOf(request: FaceRequest): string | undefined {
	return /^Bearer\s+(\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
}

function refuse(platform: Platform, code: string, message: string): AnswerError {
	const authority = `${platform.origins.authority}/${IDENTITY.tenantId}`;
	return armError(401, code, message, {
		'WWW-Authenticate': `Bearer authorization_uri="${authority}", error="invalid_token", error_description="${message.replaceAll('"', "'")}"`,
	});
}
