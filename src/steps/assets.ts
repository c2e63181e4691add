// The assets step: what a run needs in the workspace beside its job.
import { applyAssets } from '../asset/apply.ts';
import type { Stage } from './stage.ts';

/** Brings the files of `asset-files` into the workspace. */
export async function assetsStep({ world, report, files, connection, publisher }: Stage): Promise<void> {
	const { log, signal } = world;
	await applyAssets(files.assets.assets, {
		workspace: connection.workspace,
		publisher,
		log,
		signal,
		onMade: (made) => {
			report.assets = [...report.assets, made];
		},
	});
	const left = report.assets.filter(({ reused }) => reused);
	if (left.length > 0) {
		const named = left.map(({ kind, name, version }) => `${kind} ${name}${version === undefined ? '' : `:${version}`}`);
		report.notes.push(`In the workspace already and left as they are: ${named.join(', ')}.`);
	}
}
