// The environment of processes that the emulator runs: minimal, so that nothing of the emulator's own leaks into them.

import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/**
 * Interpreters that CI systems install may find their shared library by the first alone; the others name the certificates
 * that Python trusts, without which no tracking server or package index behind TLS can be reached.
 */
const INHERITED = ['LD_LIBRARY_PATH', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'];

/** The variables of this process from which the environment of another one is made. */
export type HostEnvironment = Record<string, string | undefined>;

/**
 * The variables that every process gets: PATH, loader path and certificates of the host, a home of its own, UTF-8, and Python
 * without buffering. `folder` takes the home, temporary files and, where the host has `python3` alone, a `python`.
 */
export async function baseEnvironment(host: HostEnvironment, folder: string): Promise<Record<string, string>> {
	const home = join(folder, 'home');
	const temporary = join(folder, 'tmp');
	await mkdir(home, { recursive: true });
	await mkdir(temporary, { recursive: true });
	const environment: Record<string, string> = {
		PATH: await pathWithPython(host['PATH'] || '/usr/local/bin:/usr/bin:/bin', join(folder, 'bin')),
		HOME: home,
		TMPDIR: temporary,
		LANG: 'C.UTF-8',
		PYTHONUNBUFFERED: '1',
	};
	for (const name of INHERITED) {
		const value = host[name];
		if (value) environment[name] = value;
	}
	return environment;
}

/** PATH with a first folder that holds `python` as another name of `python3`, where only that one is installed. */
async function pathWithPython(path: string, shims: string): Promise<string> {
	if (onPath('python', path) || !onPath('python3', path)) return path;
	await mkdir(shims, { recursive: true });
	const shim = join(shims, 'python');
	await writeFile(shim, '#!/bin/sh\nexec python3 "$@"\n');
	await chmod(shim, 0o755);
	return `${shims}${delimiter}${path}`;
}

function onPath(program: string, path: string): boolean {
	return path.split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, program)));
}

/** Whether the file is there and may be executed. */
export function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
