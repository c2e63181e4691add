// Puts the parts of this room together: sign-in, sender, resource manager, workspace.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { type Arm, createArm } from './arm.ts';
import { type BearerHttp, createBearerHttp } from './bearer.ts';
import type { Cloud } from './cloud.ts';
import { type AuthRequest, createCredential } from './credential.ts';
import { createHttp, type ListenedHttp } from './http.ts';
import { connectWorkspace, type Workspace, type WorkspaceName } from './workspace.ts';

/** A way into a workspace. */
export interface Connection {
	readonly http: ListenedHttp;
	readonly bearer: BearerHttp;
	readonly workspace: Workspace;
	close(): Promise<void>;
}

export interface ConnectParts {
	readonly cloud: Cloud;
	readonly auth: AuthRequest;
	readonly target: WorkspaceName;
	readonly idToken: ((audience: string) => Promise<string>) | undefined;
	readonly clock: Clock;
	readonly log: Log;
	readonly signal?: AbortSignal | undefined;
	/** Done after sign-in and before the workspace is looked for: the place to create it. */
	readonly prepare?: ((arm: Arm) => Promise<void>) | undefined;
	/** Stands between all that comes after and the resource manager. */
	readonly wrapArm?: ((arm: Arm) => Arm) | undefined;
}

/** What the services see of us; some of Microsoft's support tools look for it. */
const USER_AGENT = 'azure-ml-action/0.1';

/**
 * Signs in and finds the workspace.
 * @throws SignInError, ServiceError
 */
export async function connect({
	cloud,
	auth,
	target,
	idToken,
	clock,
	log,
	signal,
	prepare,
	wrapArm = (arm) => arm,
}: ConnectParts): Promise<Connection> {
	const http = createHttp({ clock, userAgent: USER_AGENT, onRetry: (line) => log.debug(line) });
	try {
		const credential = createCredential(auth, { cloud, clock, idToken, mask: (value) => log.mask(value) });
		const bearer = createBearerHttp(http, cloud, credential);
		const arm = wrapArm(createArm(bearer, cloud, clock));
		await prepare?.(arm);
		const workspace = await connectWorkspace(target, { cloud, arm, http, bearer, signal });
		return { http, bearer, workspace, close: () => http.close() };
	} catch (error) {
		await http.close();
		throw error;
	}
}
