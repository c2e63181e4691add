// `npm run bench`: measures the built action beside Microsoft's client and the physical limit, and prints one table.
// `npm run bench -- start upload-1000` measures some rows, `--quick` with fewer turns and smaller files, `--growth` draws
// docs/images/growth.svg and growth-children.svg.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { growthChart } from './chart.ts';
import { childrenCosts } from './children-cost.ts';
import { type Line, ROWS, uploadGrowth } from './rows.ts';

const CHART = join(import.meta.dirname, '../docs/images/growth.svg');
const CHILDREN_CHART = join(import.meta.dirname, '../docs/images/growth-children.svg');

const { positionals, values } = parseArgs({
	allowPositionals: true,
	options: { quick: { type: 'boolean', default: false }, growth: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0) {
	throw new Error(`There is no row ${unknown.join(', ')}. The rows: ${ROWS.map(({ name }) => name).join(', ')}.`);
}
if (values.growth) {
	await childrenGrowth(values.quick);
	await growth(values.quick);
} else await table(positionals, values.quick);

async function table(only: readonly string[], quick: boolean): Promise<void> {
	const lines: Line[] = [];
	for (const row of ROWS.filter(({ name }) => only.length === 0 || only.includes(name))) {
		console.error(`${row.name} …`);
		lines.push(...(await row.measure({ turns: quick ? 2 : 5, quick })));
	}
	console.log('| row | action | others, in times the action | goal | met |\n| --- | --- | --- | --- | --- |');
	for (const { row, action, others, goal, met } of lines) {
		console.log(`| ${row} | ${action} | ${others} | ${goal} | ${met ? 'yes' : 'no'} |`);
	}
}

async function growth(quick: boolean): Promise<void> {
	const sizes = quick ? [100, 300, 1_000] : [1_000, 10_000, 100_000];
	const points = await uploadGrowth(sizes, quick ? 1 : 3);
	for (const { size, cost } of points) {
		const memory = Math.round(cost.memory / 1024 / 1024);
		console.log(`${size} files: ${Math.round(cost.wall)} ms, ${memory} MiB, ${cost.requests} requests`);
	}
	if (quick) return;
	const title = 'Start to job accepted, files of 1 kB: time grows with files to the power of';
	const cost = (seconds: number): string => `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
	const drawn = points.map((point) => ({ size: point.size, cost: point.cost.wall / 1000 }));
	writeFileSync(CHART, growthChart(drawn, { title, cost, things: 'files' }));
}

async function childrenGrowth(quick: boolean): Promise<void> {
	const sweeps = await childrenCosts('Sweep', { quick });
	const counted = [['trials', sweeps] as const, ['steps', await childrenCosts('Pipeline', { quick })] as const];
	for (const [things, costs] of counted) {
		for (const { size, perLook, interval, othersAnHour, busiestHour } of costs) {
			const list = `${perLook} requests for the list every ${Math.round(interval / 1000)} s`;
			console.log(`${size} ${things}: ${list}, ${othersAnHour} others an hour, ${busiestHour} in the busiest hour`);
		}
	}
	if (quick) return;
	const title = 'Requests at each look at a sweep: they grow with trials to the power of';
	const drawn = sweeps.map(({ size, perLook }) => ({ size, cost: perLook }));
	writeFileSync(CHILDREN_CHART, growthChart(drawn, { title, cost: String, things: 'trials' }));
}
