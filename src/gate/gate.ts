// The gate step: the metrics of the finished job, and the champion's where a gate asks for one, brought to judgement.
import type { ActionError } from '../errors.ts';
import { GateError } from '../errors.ts';
import type { Metrics } from '../job/metrics.ts';
import { type Champion, type ChampionParts, type ChampionWish, findChampion } from './champion.ts';
import type { Gate } from './grammar.ts';
import { jobMetrics, type MeasuredJob, type MetricSource } from './metric-source.ts';
import { type ChampionValue, failureText, judge, type Verdict } from './verdict.ts';

export interface GateRequest {
	readonly gates: readonly Gate[];
	/** The finished job. */
	readonly job: MeasuredJob;
	/** Its own metrics, where they were read before. */
	readonly metrics: Metrics | undefined;
	readonly champion: Omit<ChampionWish, 'jobName'>;
}

/** How many names of metrics a message lists. */
const LISTED = 30;

/**
 * Judges every gate, in their order, and tells the log of each.
 * @throws ServiceError where metrics cannot be read: what was not seen has not passed; ActionError where the champion that
 * is named cannot be found
 */
export async function judgeGates(request: GateRequest, parts: ChampionParts): Promise<readonly Verdict[]> {
	const { gates, job, metrics, champion: wish } = request;
	const source = jobMetrics(job, { ...parts, known: metrics });
	const compares = gates.some(({ threshold }) => threshold.kind === 'champion');
	const champion = compares ? await findChampion({ ...wish, jobName: job.name }, parts) : undefined;
	if (champion !== undefined && 'none' in champion)
		parts.log.notice(`${champion.none} Gates that compare with the champion pass.`);
	const verdicts: Verdict[] = [];
	for (const gate of gates) {
		const value = await source.find(gate.metric);
		const missing = value === undefined ? await missingText(`The job ${job.name}`, source) : undefined;
		const rival = gate.threshold.kind === 'champion' ? await championValue(champion, gate.metric) : undefined;
		const verdict = judge(gate, value, missing, rival);
		verdicts.push(verdict);
		parts.log.info(
			verdict.passed
				? `Gate passed: ${verdict.metric} is ${verdict.value}, needed ${verdict.needed}.`
				: `Gate failed: ${failureText(verdict)}`,
		);
	}
	return verdicts;
}

async function championValue(champion: Champion | undefined, metric: string): Promise<ChampionValue | undefined> {
	if (champion === undefined || 'none' in champion) return champion;
	const { label, metrics } = champion;
	const value = await metrics.find(metric);
	if (value === undefined)
		return { label, missing: await missingText(`The champion ${label}`, metrics, ` '${metric}'`) };
	if (!Number.isFinite(value)) return { label, missing: `The metric of the champion ${label} is ${value}.` };
	return { label, value };
}

/** What a champion has of these metrics. */
export async function championMetrics(
	{ label, metrics }: Exclude<Champion, { none: string }>,
	names: readonly string[],
): Promise<{ readonly label: string; readonly metrics: Metrics }> {
	const found: Record<string, number> = {};
	for (const name of names) {
		const value = await metrics.find(name);
		if (value !== undefined) found[name] = value;
	}
	return { label, metrics: found };
}

async function missingText(whose: string, source: MetricSource, which = ''): Promise<string> {
	const names = [...(await source.names())].sort();
	const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
	const there = names.length === 0 ? 'none at all' : `${names.slice(0, LISTED).join(', ')}${more}`;
	return `${whose} has no such metric${which}; it has ${there}.`;
}

/** The failure of a run whose gates did not pass; undefined where all did. */
export function gateFailure(verdicts: readonly Verdict[]): ActionError | undefined {
	const failed = verdicts.filter(({ passed }) => !passed);
	if (failed.length === 0) return undefined;
	return new GateError({
		what:
			verdicts.length === 1 ? 'The gate did not pass.' : `${failed.length} of ${verdicts.length} gates did not pass.`,
		why: failed.map(failureText).join(' '),
		next: 'Nothing was registered or deployed; the job and its outputs stay as they are. `on-gate-failure: skip` ends such a run green.',
	});
}
