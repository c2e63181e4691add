// How metrics went while a job trained, as charts that GitHub draws: each with the base branch's job beside it. Pure.
import type { MetricPoint } from '../job/metrics.ts';
import type { RunReport } from './run-report.ts';
import { code, codeBlock } from './text.ts';

const MOST_CHARTS = 4;
/** A chart's line is as clear with this many points as with all of them. */
const CHART_POINTS = 40;
/**
 * A blue and an orange that are readable on white and on GitHub's dark grey, and apart for those who see few colours;
 * mermaid's own are pale ones, on a box of its own.
 */
const [OWN_COLOUR, OTHER_COLOUR] = ['#2f81f7', '#d4680d'];

/** Mermaid knows no exponents. */
const PLAIN_NUMBER = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6, useGrouping: false });

/** A value, and how far along it came. */
interface Place {
	readonly at: number;
	readonly value: number;
}

/** The charts of a run; undefined where there is nothing that has moved. */
export function charts({ history, base }: RunReport): string | undefined {
	const drawn = [...history]
		.map(([name, points]) => ({ name, own: placesOf(points), other: placesOf(base?.history?.get(name) ?? []) }))
		.filter(({ own }) => own.length >= 3)
		.slice(0, MOST_CHARTS);
	if (drawn.length === 0) return undefined;
	const compared = base !== undefined && drawn.some(({ other }) => other.length >= 2);
	const key = compared ? `🔵 this job · 🟠 ${code(base.label)} (job ${code(base.job)})` : undefined;
	return [...(key === undefined ? [] : [key]), ...drawn.map(chart)].join('\n\n');
}

/** A program that counts no steps logs all its values at step 0: their order is their place then. */
function placesOf(points: readonly MetricPoint[]): readonly Place[] {
	const finite = points.filter(({ value }) => Number.isFinite(value));
	const counts = finite.some(({ step }) => step !== finite[0]?.step);
	return finite.map(({ step, value }, place) => ({ at: counts ? step : place, value }));
}

function chart({ name, own, other }: { name: string; own: readonly Place[]; other: readonly Place[] }): string {
	// A quoted mermaid text may hold anything but quotes and what begins an entity.
	const title = name.replace(/[^\w .,/%()=-]/g, ' ').slice(0, 80);
	const [from, to] = [own[0]?.at ?? 0, own.at(-1)?.at ?? 0];
	// What is drawn last lies on top.
	const isCompared = other.length >= 2;
	const series = isCompared ? [other, own] : [own];
	const look = chartLook(isCompared ? [OTHER_COLOUR, OWN_COLOUR] : [OWN_COLOUR]);
	const axis = `"step" ${from} --> ${Math.max(to, from + 1)}`;
	const lines = series.map((places) => `  line [${spread(places, from, to).map(PLAIN_NUMBER.format).join(', ')}]`);
	return codeBlock([...look, 'xychart-beta', `  title "${title}"`, `  x-axis ${axis}`, ...lines], 'mermaid');
}

function chartLook(colours: readonly string[]): readonly string[] {
	return [
		'---',
		'config:',
		'  xyChart:',
		'    width: 640',
		'    height: 340',
		'  themeVariables:',
		'    xyChart:',
		'      backgroundColor: "transparent"',
		`      plotColorPalette: "${colours.join(', ')}"`,
		'---',
	];
}

/**
 * Values at even distances, as mermaid draws them: between two logged ones on the line between them. A series that is shorter
 * than the chart stays where it ended.
 */
function spread(places: readonly Place[], from: number, to: number): readonly number[] {
	const count = Math.max(2, Math.min(CHART_POINTS, Math.floor(to - from) + 1));
	return Array.from({ length: count }, (_, place) => valueAt(places, from + ((to - from) * place) / (count - 1)));
}

function valueAt(places: readonly Place[], at: number): number {
	const after = places.findIndex((place) => place.at >= at);
	const [last, next] = [places[after < 0 ? places.length - 1 : Math.max(0, after - 1)], places[after]];
	if (last === undefined || next === undefined || next.at <= last.at) return (next ?? last)?.value ?? 0;
	const share = Math.max(0, at - last.at) / (next.at - last.at);
	return last.value * (1 - share) + next.value * share;
}
