// What processes that talk to the emulator need in their environment: clients beside it, and the jobs and endpoints in it.

import { writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { HostEnvironment } from './compute/job-environment.ts';
import type { Origins } from './platform.ts';

/** Writes the emulator's certificate, and with it those that are trusted anyway, as clients in Python want them. */
export function writeTrust(folder: string, certificate: string): { caFile: string; bundle: string } {
	const [caFile, bundle] = [join(folder, 'ca.pem'), join(folder, 'ca-bundle.pem')];
	writeFileSync(caFile, certificate);
	writeFileSync(bundle, [certificate, ...rootCertificates].map((one) => `${one.trim()}\n`).join(''));
	return { caFile, bundle };
}

/** The variables by which Python's HTTP libraries trust the emulator. */
export function trustVariables(bundle: string): Record<string, string> {
	return { REQUESTS_CA_BUNDLE: bundle, SSL_CERT_FILE: bundle };
}

/** How azure-ai-ml finds the emulator as its cloud; `proxy` is the address of the way to names below `localhost`. */
export function pythonVariables(origins: Origins, bundle: string, proxy: string): Record<string, string> {
	return {
		...trustVariables(bundle),
		ARM_CLOUD_METADATA_URL: `${origins.arm}/metadata/endpoints?api-version=2019-05-01`,
		REGISTRY_DISCOVERY_ENDPOINT_URL: `${origins.arm}/`,
		HTTPS_PROXY: proxy,
		// Without `localhost`, which would stand for every name below it.
		NO_PROXY: '127.0.0.1',
	};
}

/** What jobs and endpoints may take from the machine: its own environment, with `python` first on PATH. */
export function processEnvironment(
	host: HostEnvironment,
	choice: { python?: string | undefined; bundle?: string | undefined },
): HostEnvironment {
	const path = host['PATH'] || '/usr/local/bin:/usr/bin:/bin';
	return {
		...host,
		...(choice.python === undefined ? {} : { PATH: `${dirname(resolve(choice.python))}${delimiter}${path}` }),
		...(choice.bundle === undefined ? {} : trustVariables(choice.bundle)),
	};
}
