// The rules of an endpoint's traffic, and the choice of a deployment by it.

import { serviceError } from '../errors.ts';
import type { AnswerError } from '../server.ts';
import type { Resource } from '../state.ts';
import { type Json, objectOf } from './call.ts';

/** Refuses traffic to deployments that do not exist, and shares that sum up to something else than 0 or 100. */
export function checkTraffic(endpoint: Json, deployments: Resource[]): void {
	const traffic = objectOf(endpoint['traffic']);
	const mirror = objectOf(endpoint['mirrorTraffic']);
	const names = new Set(deployments.map((one) => one.name));
	for (const [name, share] of [...Object.entries(traffic), ...Object.entries(mirror)]) {
		if (!names.has(name)) throw refuse(`The deployment ${name} of the traffic rule does not exist.`);
		if (!Number.isInteger(share) || Number(share) < 0 || Number(share) > 100) {
			throw refuse(`The traffic of deployment ${name} must be a whole number from 0 to 100, not ${String(share)}.`);
		}
	}
	const sum = Object.values(traffic).reduce<number>((total, share) => total + Number(share), 0);
	if (sum !== 0 && sum !== 100) throw refuse(`The sum of the traffic must be 0 or 100, not ${sum}.`);
	const mirrored = Object.values(mirror).reduce<number>((total, share) => total + Number(share), 0);
	const both = Object.entries(mirror).find(([name, share]) => Number(share) > 0 && Number(traffic[name] ?? 0) > 0);
	// Documented: a deployment takes live or mirrored traffic, not both. How the service says so is not confirmed.
	if (both) throw refuse(`The deployment ${both[0]} cannot have live and mirrored traffic at once.`);
	if (mirrored > 50) throw refuse(`The sum of the mirror traffic must be at most 50, not ${mirrored}.`);
}

/** Chooses a deployment by weight; `random` is from 0 up to 1. Gives `undefined` when none has traffic. */
export function chooseDeployment(traffic: Json, random: number): string | undefined {
	const shares = Object.entries(traffic).filter(([, share]) => Number(share) > 0);
	let left = random * shares.reduce((total, [, share]) => total + Number(share), 0);
	for (const [name, share] of shares) {
		left -= Number(share);
		if (left < 0) return name;
	}
	return shares.at(-1)?.[0];
}

function refuse(message: string): AnswerError {
	return serviceError(400, 'UserError', message, {
		inner: ['BadArgument', 'ArgumentInvalid'],
		target: 'properties.traffic',
	});
}
