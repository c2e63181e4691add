// `npm run bench`: measures the built action beside Microsoft's client and the physical limit, and prints one table.
// `npm run bench -- start upload-1000` measures some rows, `--quick` with fewer turns and smaller files, `--growth` draws
// docs/images/growth.svg.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { growthChart } from './chart.ts';
import { type Line, ROWS, uploadGrowth } from './rows.ts';

const CHART = join(import.meta.dirname, '../docs/images/growth.svg');

const { positionals, values } = parseArgs({
	allowPositionals: true,
	options: { quick: { type: 'boolean', default: false }, growth: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0) {
	throw new Error(`There is no row ${unknown.join(', ')}. The rows: ${ROWS.map(({ name }) => name).join(', ')}.`);
}
if (values.growth) await growth(values.quick);
else await table(positionals, values.quick);

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
	if (!quick) writeFileSync(CHART, growthChart(points.map(({ size, cost }) => ({ size, cost: cost.wall / 1000 }))));
}
