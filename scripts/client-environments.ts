// Installs the clients that the emulator is tried with into .clients/, where they stay: a virtual environment from PyPI,
// and the packages of Debian's python3-azure, unpacked beside the system.

import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const HOME = join(ROOT, '.clients');
const PINS = join(ROOT, '__tests__/clients');
const AZURE_CLI = 'azure-cli==2.91.0';
/** What azure-ai-ml 1.4.0 imports and Debian's package does not depend on. */
const MISSING_IN_DEBIAN = 'pydash==5.1.2';
/** The parts of the package that azure-ai-ml uses; the whole of it is more than half a gigabyte. */
const PARTS = ['__init__.py', 'ai/ml*', 'common*', 'core*', 'identity*', 'mgmt/core*', 'profiles*'];
/** Packages of the interpreter itself, or that have nothing to do with it. */
const NOT_NEEDED = new Set(['python3-minimal', 'python3-distutils', 'python3-lib2to3', 'python3-gi']);

/** A Python with a client in it. */
export interface ClientPython {
	python: string;
	/** What its process needs beside the emulator's own variables. */
	env: Record<string, string>;
}

/** Makes the virtual environment unless it is there as pinned, and gives its python. */
export function newestClients(): ClientPython {
	const pins = ['requirements.txt', 'constraints.txt'].map((name) => readFileSync(join(PINS, name), 'utf8'));
	return virtualEnvironment('venv', pins.join(''), ['--no-compile', '-r', join(PINS, 'requirements.txt')]);
}

/** The Azure CLI, whose extension `ml` is on no index that this could install from. */
export function azureCli(): ClientPython {
	return virtualEnvironment('azure-cli', AZURE_CLI, [AZURE_CLI]);
}

/** @param wanted what pip is to install, and how */
function virtualEnvironment(name: string, pins: string, wanted: readonly string[]): ClientPython {
	const folder = join(HOME, name);
	const python = join(folder, 'bin/python');
	once(folder, pins, () => {
		run('python3', ['-m', 'venv', folder]);
		run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wanted]);
	});
	return { python, env: {} };
}

/** Unpacks what Debian ships. Gives why not, in words, where this machine is no Debian. */
export function debianClients(): ClientPython | string {
	if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) return 'this machine is no Debian';
	if (!existsSync('/usr/bin/python3')) return 'there is no /usr/bin/python3';
	const folder = join(HOME, 'debian');
	once(folder, `${MISSING_IN_DEBIAN} ${PARTS}`, () => unpack(folder));
	const packages = join(folder, 'tree/usr/lib/python3/dist-packages');
	return { python: '/usr/bin/python3', env: { PYTHONPATH: [packages, join(folder, 'pypi')].join(':') } };
}

function unpack(folder: string): void {
	const [packages, tree] = [join(folder, 'packages'), join(folder, 'tree')];
	for (const one of [packages, tree]) mkdirSync(one, { recursive: true });
	const apt = ['-o', 'APT::Sandbox::User=root'];
	const download = () => run('apt-get', [...apt, 'download', ...dependencies()], { cwd: packages });
	try {
		download();
	} catch (error) {
		// A machine whose lists were never fetched, or are old.
		if (process.getuid?.() !== 0) throw error;
		run('apt-get', ['update', '-qq']);
		download();
	}
	for (const file of readdirSync(packages)) {
		const path = join(packages, file);
		if (!file.startsWith('python3-azure_')) run('dpkg', ['-x', path, tree]);
		else {
			const parts = PARTS.map((part) => `'./usr/lib/python3/dist-packages/azure/${part}'`).join(' ');
			run('sh', ['-c', `dpkg --fsys-tarfile "$1" | tar -x -C "$2" --wildcards ${parts}`, 'sh', path, tree]);
		}
	}
	rmSync(packages, { recursive: true, force: true });
	const options = ['--no-compile', '--quiet', '--no-deps', '--disable-pip-version-check'];
	run(newestClients().python, [
		'-m',
		'pip',
		'install',
		...options,
		'--target',
		join(folder, 'pypi'),
		MISSING_IN_DEBIAN,
	]);
}

/** The packages below python3-azure that are for Python. */
function dependencies(): string[] {
	const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
	const options = ['--recurse', ...kinds.map((kind) => `--no-${kind}`)];
	const text = run('apt-cache', ['depends', ...options, 'python3-azure']);
	const names = text.split('\n').filter((line) => /^python3-[a-z0-9.+-]+$/.test(line) && !NOT_NEEDED.has(line));
	return [...new Set(names)];
}

/** Makes a folder anew unless it was made whole from the same pins before. */
function once(folder: string, pins: string, make: () => void): void {
	const mark = join(folder, '.made-of');
	const wanted = createHash('sha256').update(pins).digest('hex');
	if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	make();
	writeFileSync(mark, wanted);
}

function run(program: string, args: string[], options: ExecFileSyncOptions = {}): string {
	return execFileSync(program, args, { ...options, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
