// The register step: the model of the job, or a version that is there already.
import { findModel, type ModelVersion, registerModel } from '../asset/model.ts';
import type { RegisterInputs } from '../inputs.ts';
import { runTags } from '../job/facts-of-run.ts';
import type { Job } from '../job/job.ts';
import type { RunReport } from '../report/run-report.ts';
import type { Stage } from './stage.ts';

/** Registers the model, or finds the version that is to be deployed. */
export async function registerStep(
	{ world, inputs, report, files, connection, publisher }: Stage,
	asked: RegisterInputs,
	job: Job | undefined,
): Promise<ModelVersion> {
	const { workspace } = connection;
	const { log, clock, signal } = world;
	const model = asked.existing
		? await findModel(workspace, asked.name ?? '', asked.version ?? 'latest', signal)
		: await registerModel(
				{
					...(asked.name === undefined ? {} : { name: asked.name }),
					...(asked.version === undefined ? {} : { version: asked.version }),
					...(asked.path === undefined ? {} : { path: asked.path }),
					...(files.model === undefined ? {} : { file: files.model }),
					...(job === undefined ? {} : { job }),
					tags: {
						...runTags(inputs.run),
						...(job === undefined ? {} : { job: job.name }),
						...metricTags(report),
						...asked.tags,
					},
				},
				{ workspace, publisher, log, clock, signal, checkout: inputs.run.checkout },
			);
	report.model = model;
	log.info(`Model ${model.assetId} (${model.type})${model.reused ? ', registered before' : ' registered'}.`);
	return model;
}

/** Azure ML takes fifty tags at the most; the facts of the run and the author's own go first. */
const TAGGED_METRICS = 20;

/** What gates have judged goes first: the next run's gates look for it here. */
function metricTags({ metrics = {}, gates = [] }: RunReport): Record<string, string> {
	const judged = gates.flatMap(({ metric, value }) => (value === undefined ? [] : [[metric, value] as const]));
	const all = new Map([...judged, ...Object.entries(metrics)]);
	return Object.fromEntries(
		[...all].slice(0, TAGGED_METRICS).map(([name, value]) => [`metric.${name}`, String(value)]),
	);
}
