// Sign-in, the first step of a run that sends anything.
import { applyWorkspace } from '../asset/apply-named.ts';
import { type Connection, type ConnectParts, connect } from '../azure/connect.ts';
import type { RunFiles } from '../files.ts';
import type { Inputs } from '../inputs.ts';
import type { RunReport } from '../report/run-report.ts';
import type { World } from './stage.ts';

/** Signs in and finds the workspace, after creating it where a file of it is given and there is none. */
export async function connectStep(
	{ idToken, clock, log, signal }: World,
	{ cloud, auth, target }: Inputs,
	report: RunReport,
	{ assets }: RunFiles,
	wrapArm?: ConnectParts['wrapArm'],
): Promise<Connection> {
	if (auth === undefined || target === undefined) throw new Error('sign-in was reached without credentials');
	const { workspace: file } = assets;
	const prepare: ConnectParts['prepare'] =
		file &&
		(async (arm) => {
			report.assets = [await applyWorkspace(file, target, { arm, log, signal })];
		});
	const connection = await connect({ cloud, auth, target, idToken, clock, log, signal, prepare, wrapArm });
	const { workspace } = connection;
	report.studio = cloud.studio;
	log.info(`Signed in (${auth.kind}); workspace ${workspace.workspace} in ${workspace.location}.`);
	return connection;
}
