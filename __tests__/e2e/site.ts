// One emulated workspace for the tests of a file: runs the action against it, and reads what it has recorded.
import { rmSync } from 'node:fs';
import { type Emulator, startEmulator } from '../../emulator/emulator.ts';
import type { RecordedRequest } from '../../emulator/ledger.ts';
import { makeCheckout } from './checkout.ts';
import { type ActionRequest, type ActionRun, killAll, runAction } from './runner.ts';

/** How a run differs from a push to main that is signed in by GitHub OIDC. */
export interface SiteRequest extends Partial<ActionRequest> {
	/** Instead of the inputs that sign in by OIDC and name the workspace; those for the cloud stay. */
	readonly signIn?: Readonly<Record<string, string>>;
	/** Files of the checkout, made for this run, where `checkout` names none. */
	readonly files?: Readonly<Record<string, string>>;
}

/** An emulated workspace with the action pointed at it. */
export interface Site {
	readonly emulator: Emulator;
	/** Runs the action with these inputs beside those for sign-in and target. */
	run(inputs: Readonly<Record<string, string>>, request?: SiteRequest): Promise<ActionRun>;
	/** What was requested from `since` (a length of `emulator.requests`) on, by method and path without the workspace's own. */
	requests(since?: number): Request[];
	close(): Promise<void>;
}

/** A recorded request, its path shortened: `PUT jobs/iris-1` for what is below the workspace. */
export interface Request extends RecordedRequest {
	/** `METHOD path`. */
	readonly line: string;
}

/** Starts an emulator of its own. */
export async function openSite(options: Parameters<typeof startEmulator>[0] = {}): Promise<Site> {
	const emulator = await startEmulator({ quiet: true, ...options });
	const checkouts: string[] = [];
	return {
		emulator,
		async run(inputs, { signIn, files, checkout, env, ...request } = {}) {
			const folder = checkout ?? makeCheckout(files ?? {});
			if (checkout === undefined) checkouts.push(folder);
			const otherSignIn = signIn && { 'client-id': '', 'tenant-id': '', ...signIn };
			return runAction({
				...request,
				checkout: folder,
				inputs: { ...emulator.inputs, ...otherSignIn, ...inputs },
				env: { ...emulator.env, ...env },
			});
		},
		requests: (since = 0) => emulator.requests.slice(since).map((one) => ({ ...one, line: lineOf(one) })),
		async close() {
			killAll();
			await emulator.stop();
			for (const folder of checkouts) rmSync(folder, { recursive: true, force: true });
		},
	};
}

function lineOf({ method, path }: RecordedRequest): string {
	return `${method} ${decodeURIComponent(path).replace(/^.*\/workspaces\/[^/]+\/(?=.)/i, '')}`;
}
