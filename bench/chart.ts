// Draws cost against size on logarithmic axes as an SVG that is readable on a light and on a dark page.
import { growthExponent } from './measure.ts';

interface Point {
	readonly size: number;
	readonly cost: number;
}

/** What a chart tells. */
interface Wording {
	/** Ends before the exponent of growth. */
	readonly title: string;
	readonly cost: (cost: number) => string;
	/** What the sizes count: `files`. */
	readonly things: string;
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, EDGE] = [640, 320, 72, 48, 40];
const STYLE =
	'text{font:13px sans-serif;fill:#24292f}.axis{stroke:#8c959f}.line{stroke:#0969da;stroke-width:2;fill:none}.dot{fill:#0969da}' +
	'@media(prefers-color-scheme:dark){text{fill:#e6edf3}.line{stroke:#58a6ff}.dot{fill:#58a6ff}}';

/** The chart of these points, with the exponent of their growth in its title. */
export function growthChart(points: readonly Point[], wording: Wording): string {
	const x = scale(
		points.map(({ size }) => size),
		LEFT + 24,
		WIDTH - EDGE - 24,
	);
	const y = scale(
		points.map(({ cost }) => cost),
		HEIGHT - BOTTOM - 24,
		EDGE + 24,
	);
	const places = points.map(({ size, cost }) => ({ size, cost, at: [x(size), y(cost)] as const }));
	const title = `${wording.title} ${growthExponent(points).toFixed(2)}`;
	const dots = places.flatMap(({ size, cost, at: [left, top] }) => [
		`<circle class="dot" cx="${left}" cy="${top}" r="4"/>`,
		`<text x="${left}" y="${top - 12}" text-anchor="middle">${wording.cost(cost)}</text>`,
		`<text x="${left}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${size.toLocaleString('en')} ${wording.things}</text>`,
	]);
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
		`<style>${STYLE}</style>`,
		`<text x="${LEFT}" y="24">${title}</text>`,
		`<path class="axis" fill="none" d="M${LEFT} ${EDGE}V${HEIGHT - BOTTOM}H${WIDTH - EDGE}"/>`,
		`<polyline class="line" points="${places.map(({ at }) => at.join(',')).join(' ')}"/>`,
		...dots,
		'</svg>',
		'',
	].join('\n');
}

/** From values to pixels, by their logarithms. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
	const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
	const span = high - low || 1;
	return (value) => Math.round(from + ((Math.log(value) - low) / span) * (to - from));
}
