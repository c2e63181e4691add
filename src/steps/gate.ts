// The gate step of a run, and what a model may then be shared to. What came of either is told to the report as it happens.
import type { ModelVersion } from '../asset/model.ts';
import { shareModel } from '../asset/registry.ts';
import type { ChampionWish } from '../gate/champion.ts';
import { gateFailure, judgeGates } from '../gate/gate.ts';
import type { GateInputs } from '../inputs/gate.ts';
import type { Job } from '../job/job.ts';
import type { Stage } from './stage.ts';

/**
 * Judges the finished job.
 * @returns whether it goes on; with `on-gate-failure: skip` a job that did not pass ends the run here, green
 * @throws GateError where a gate did not pass
 */
export async function gateStep(stage: Stage, asked: GateInputs, job: Job): Promise<boolean> {
	const { world, report, connection } = stage;
	const { log, clock, signal } = world;
	report.gates = await judgeGates(
		{
			gates: asked.gates,
			job,
			metrics: report.metrics,
			champion: championWish(stage, asked),
		},
		{ workspace: connection.workspace, log, clock, signal },
	);
	const failure = gateFailure(report.gates);
	if (failure === undefined) return true;
	if (asked.onFailure === 'fail') throw failure;
	const note = `${failure.what} As \`on-gate-failure: skip\` asks for, the run ends here, green: nothing was registered or deployed.`;
	log.notice(note);
	report.notes.push(note);
	return false;
}

/** Which champion the gates of a run mean. */
export function championWish(stage: Stage, asked: GateInputs | undefined): Omit<ChampionWish, 'jobName'> {
	const { inputs, files } = stage;
	return {
		named: asked?.champion,
		modelName: inputs.register?.name ?? files.model?.name,
		ownEndpoint: ownEndpoint(stage),
	};
}

function ownEndpoint({ inputs, files }: Stage): string | undefined {
	if (inputs.deploy === undefined) return undefined;
	const { endpoint, deployment, batch } = files;
	const named = [endpoint?.name, deployment?.endpointName, batch?.endpoint?.name, batch?.deployment?.endpointName];
	return inputs.deploy.endpointName ?? named.find((name) => name !== undefined);
}

/** Shares the model to a registry. */
export async function shareStep(
	{ world, report, connection }: Stage,
	registry: string,
	model: ModelVersion,
): Promise<void> {
	const { log, clock, signal } = world;
	const { workspace, bearer } = connection;
	const shared = await shareModel(model, registry, { workspace, bearer, log, clock, signal });
	report.shared = shared;
	log.info(
		shared.reused
			? `The registry ${registry} has the model already: ${shared.id}`
			: `The model is in the registry ${registry}: ${shared.id}`,
	);
}
