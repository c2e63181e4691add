// The runs below a job in Markdown: a pipeline's steps as a graph, and the steps or trials as a table. Pure.
import { duration } from '../duration.ts';
import type { ChildRun } from '../job/child-runs.ts';
import type { Job, PipelineStep } from '../job/job.ts';
import { code, codeBlock, inert } from './text.ts';

/** A graph of more steps than this is no help, and a table of more rows neither. */
const MOST_NODES = 60;
const MOST_ROWS = 60;

/** What a state looks like: its mark in the table, its class in the graph. */
interface Look {
	readonly mark: string;
	readonly style: string;
}

const WAITING: Look = { mark: '⏳', style: 'waiting' };
const LOOKS: Readonly<Record<string, Look>> = {
	Completed: { mark: '✅', style: 'completed' },
	Failed: { mark: '❌', style: 'failed' },
	Canceled: { mark: '🚫', style: 'canceled' },
	Running: { mark: '🏃', style: 'running' },
};
/** Borders alone carry colour: text and ground are those of the theme, light or dark. */
const STYLES = [
	'  classDef completed stroke:#2da44e,stroke-width:2px',
	'  classDef reused stroke:#2da44e,stroke-width:2px,stroke-dasharray:5 3',
	'  classDef failed stroke:#cf222e,stroke-width:4px',
	'  classDef canceled stroke:#8250df,stroke-width:2px',
	'  classDef running stroke:#2f81f7,stroke-width:2px',
	'  classDef waiting stroke:#8c959f,stroke-width:1px,stroke-dasharray:2 2',
];

/** The steps or trials of a job; undefined where it has none. */
export function childrenLines(job: Job | undefined): string | undefined {
	const children = job?.children ?? [];
	if (job === undefined || children.length === 0) return undefined;
	const title = job.type === 'Pipeline' ? 'Steps' : 'Trials';
	const parts = [`### ${title}`, graph(job), table(children, job.properties['best_child_run_id'])];
	return parts.filter((part) => part !== undefined).join('\n\n');
}

/** @param best the trial that is the job's result, where it has one */
function table(children: readonly ChildRun[], best: string | undefined): string {
	const first = [
		...children.filter(({ id }) => id === best),
		...children.filter(({ id, status }) => id !== best && status === 'Failed'),
	];
	const rows = children.length <= MOST_ROWS ? children : [...first, ...children.filter((run) => !first.includes(run))];
	const cells = rows.slice(0, MOST_ROWS).map((run) => {
		const mark = run.id === best ? ' · **best**' : '';
		return `| ${code(run.name)} | ${stateOf(run)}${mark} | ${timeOf(run) ?? ''} |`;
	});
	const more = rows.length - cells.length;
	return [
		'| Name | State | Duration |',
		'| --- | --- | --- |',
		...cells,
		...(more > 0 ? ['', `And ${more} more.`] : []),
	].join('\n');
}

function stateOf({ status, reusedFrom }: ChildRun): string {
	if (reusedFrom !== undefined) return `♻️ reused from ${code(reusedFrom)}`;
	return `${lookOf(status).mark} ${inert(status)}`;
}

function timeOf({ startedAt, endedAt, reusedFrom }: ChildRun): string | undefined {
	return startedAt === undefined || endedAt === undefined || reusedFrom !== undefined
		? undefined
		: duration(endedAt - startedAt);
}

/** The steps and what they take from each other. Without edges the table says as much. */
function graph({ steps = [], children = [] }: Job): string | undefined {
	if (steps.length > MOST_NODES || !steps.some(({ after }) => after.length > 0)) return undefined;
	const idOf = new Map(steps.map(({ name }, place) => [name, `s${place}`]));
	const nodes = steps.map((step) => node(step, idOf.get(step.name) ?? '', children));
	const edges = steps.flatMap(({ name, after }) =>
		after.flatMap((from) => (idOf.has(from) ? [`  ${idOf.get(from)} --> ${idOf.get(name)}`] : [])),
	);
	return codeBlock(['flowchart LR', ...nodes, ...edges, ...STYLES], 'mermaid');
}

function node({ name }: PipelineStep, id: string, children: readonly ChildRun[]): string {
	const run = children.find((child) => child.name === name) ?? children.find(({ moduleName }) => moduleName === name);
	const state = run === undefined ? 'not started' : run.reusedFrom === undefined ? run.status : 'reused';
	const time = run && timeOf(run);
	const style = run?.reusedFrom === undefined ? lookOf(run?.status ?? '').style : 'reused';
	return `  ${id}["${label(name)}<br/>${label(state)}${time === undefined ? '' : ` · ${time}`}"]:::${style}`;
}

function lookOf(status: string): Look {
	return Object.hasOwn(LOOKS, status) ? (LOOKS[status] ?? WAITING) : WAITING;
}

/** A quoted mermaid text may hold anything but quotes, markup, and what begins an entity. */
function label(text: string): string {
	const plain = text.replace(/[^\w .,/()=-]/g, ' ').slice(0, 60);
	// What looks like the beginning of a list is refused by newer versions.
	return plain.replace(/^\s*(\d+[.)]|-)\s+/, '$1\u00a0');
}
