// An upload to which things happen: the real way from a folder to a version of code, with storage on loopback, and its
// evidence for the judge. Between the two may stand a wire that breaks after so many bytes.

import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import path from 'node:path';
import type { Dependency } from '../../src/asset/dependency.ts';
import { messageOf } from '../../src/errors.ts';
import { AssetSite } from '../asset/site.ts';
import type { Canaries } from './canary.ts';
import { type ExitEvidence, judge } from './judge.ts';

type Files = Parameters<typeof AssetSite.open>[0];

/** How an upload ended. */
export interface Uploaded {
	/** Why it failed; empty where it went well. */
	readonly said: string;
	/** The promises that were broken. */
	broken(expected: { readonly code: 0 | 1; readonly says?: RegExp }): string[];
}

/** A folder `src` in a checkout, and the workspace that it goes to. */
export class UploadScene {
	readonly site: AssetSite;
	/** What must not leave the runner. */
	readonly canaries = new Map<string, string>();

	private constructor(site: AssetSite) {
		this.site = site;
	}

	static async open(files: Files): Promise<UploadScene> {
		return new UploadScene(await AssetSite.open(files));
	}

	at(below: string): string {
		return path.join(this.site.checkout, below);
	}

	/** Publishes a folder as code, into storage that is empty. */
	async upload(below = 'src'): Promise<Uploaded> {
		const { site } = this;
		site.server.requests.length = 0;
		site.server.blobs.clear();
		const code: Dependency = { need: 'code', path: this.at(below), written: below, at: { file: 'job.yml', line: 3 } };
		let said = '';
		try {
			await site.publisher().publish([code]);
		} catch (error) {
			said = messageOf(error);
		}
		return {
			said,
			broken: ({ code, says }) => this.#judge({ code: said === '' ? 0 : 1, expected: code, said, shouldSay: says }),
		};
	}

	/** Uploaded files below `src`, by their names, with what storage has of them; those of the last place only. */
	stored(): Map<string, Buffer> {
		const all = [...this.site.server.blobs].map(([name, { data }]): [string, Buffer] => [name, data]);
		const last = Math.max(0, ...all.map(([name]) => Number(/^\/code-(\d+)\//.exec(name)?.[1] ?? 0)));
		const here = `/code-${last}/src/`;
		return new Map(all.flatMap(([name, data]) => (name.startsWith(here) ? [[name.slice(here.length), data]] : [])));
	}

	/** Requests that change the workspace. */
	changes(): string[] {
		return this.site.lines(/PUT/);
	}

	#judge(exit: ExitEvidence): string[] {
		const { server, log } = this.site;
		const canaries: Canaries = new Map([...this.canaries, ['code%2Fsecret', 'SAS'], ['the-token', 'token']]);
		const marked = [...server.blobs.values()].filter(({ metadata }) => metadata['upload_status'] === 'completed');
		return judge({
			sinks: {
				log: [...log.lines, ...log.annotations.map(({ text }) => text)].join('\n'),
				error: exit.said,
				'uploaded files': [...server.blobs.values()].map(({ data }) => data.toString('latin1')).join('\0'),
				'bodies of requests': server.requests.map(({ body }) => body.toString('latin1')).join('\0'),
			},
			canaries,
			requests: {
				sent: server.requests.map(({ method, path: where, headers }) => ({
					host: where.startsWith('/code-') ? 'storage' : 'arm',
					line: `${method} ${where}`,
					headers: headers as Record<string, string>,
				})),
				mayHaveToken: ({ host }) => host === 'arm',
			},
			// A failure must leave neither a version nor a mark that says that all is there.
			left: exit.expected === 0 ? [] : [...this.changes(), ...marked.map(() => 'a mark of completion')],
			exit,
		});
	}

	close(): Promise<void> {
		return this.site.close();
	}
}

/** A way to a port on loopback that breaks once, when so many bytes have been sent along it. */
export interface Wire {
	readonly port: number;
	close(): Promise<void>;
}

/** Lays the way. */
export async function openWire(target: number, breakAfter: number): Promise<Wire> {
	let broken = false;
	const open = new Set<Socket>();
	const server = createServer((near) => {
		open.add(near);
		const far = dial(target, '127.0.0.1');
		let passed = 0;
		near.on('data', (piece) => {
			const left = breakAfter - passed;
			passed += piece.length;
			if (broken || passed <= breakAfter) {
				far.write(piece);
				return;
			}
			broken = true;
			far.write(piece.subarray(0, left), () => far.destroy());
			near.resetAndDestroy();
		});
		far.on('data', (piece) => near.write(piece));
		near.on('close', () => far.destroy()).on('error', () => {});
		far.on('close', () => near.destroy()).on('error', () => {});
	});
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
	return {
		port: (server.address() as AddressInfo).port,
		close: () => {
			for (const socket of open) socket.destroy();
			return new Promise((done) => server.close(() => done()));
		},
	};
}
