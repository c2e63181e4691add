// The plan of a dry run as Markdown. Pure.
import type { RunReport } from './run-report.ts';
import { code, inert } from './text.ts';

/** A longer plan is in its file. */
const MOST_REQUESTS = 100;

/** What a dry run came to, as a heading goes on. */
export function planVerdict({ plan }: RunReport): string {
	const count = plan?.requests.length ?? 0;
	return `${count === 0 ? 'nothing to send' : `${count} ${count === 1 ? 'request' : 'requests'} planned`}, nothing changed`;
}

/** The planned requests as a table; undefined where no plan was made. */
export function planLines({ plan, dryRun }: RunReport): string | undefined {
	if (plan === undefined) return undefined;
	const how =
		dryRun === 'offline' ? ' without credentials: nothing was sent to Azure' : ': nothing in Azure was changed';
	const { requests } = plan;
	if (requests.length === 0) return `This was a dry run${how}. A real run would send nothing either.`;
	const rows = requests
		.slice(0, MOST_REQUESTS)
		.map(({ method, kind, name, open }) => `| ${method} | ${inert(kind)} | ${code(name)}${open ? ' \\*' : ''} |`);
	const more = requests.length - rows.length;
	return [
		`This was a dry run${how}. A real run would send, in this order:`,
		'',
		'| Method | Kind | Name |',
		'| --- | --- | --- |',
		...rows,
		...(more > 0 ? ['', `${more} more requests are in the file of the output \`plan-path\`.`] : []),
		...(requests.some(({ open }) => open)
			? ['', '\\* Something in it only a real run can know; the file of the output `plan-path` says what.']
			: []),
	].join('\n');
}
