// The inputs of the gate step: the conditions, and what `champion` means in them.
import { type Gate, parseGate } from '../gate/grammar.ts';
import type { InputReader } from './reader.ts';

export interface GateInputs {
	readonly gates: readonly Gate[];
	/** `model-name:version` or the name of an endpoint. */
	readonly champion: string | undefined;
	readonly onFailure: 'fail' | 'skip';
}

/** Reads the gates; undefined where there are none. @param judged whether there is a job whose metrics they judge */
export function readGate(reader: InputReader, judged: boolean): GateInputs | undefined {
	const lines = reader.lines('metric-gates');
	const onFailure = reader.choice('on-gate-failure', ['fail', 'skip']);
	const champion = reader.text('champion');
	if (lines.length === 0) {
		if (champion !== undefined) reader.fault('champion: says what `metric-gates` compare with, but there are none.');
		return undefined;
	}
	const gates = lines.flatMap((line): Gate[] => {
		const read = parseGate(line);
		if ('gate' in read) return [read.gate];
		reader.fault(`metric-gates: ${read.fault}`);
		return [];
	});
	if (!judged)
		reader.fault('metric-gates: judges the metrics of a job, but there is neither `job-file` nor `job-name`.');
	const compares = gates.some(({ threshold }) => threshold.kind === 'champion');
	const known = [champion, reader.text('model-name'), reader.text('model-file')].some((given) => given !== undefined);
	if (compares && !known)
		reader.fault(
			'metric-gates: `champion` is the newest version of `model-name`, which is not given; give `champion` or `model-name`.',
		);
	if (champion !== undefined && !/^(azureml:)?[\w.-]+([:@][\w.-]+)?$/.test(champion))
		reader.fault(`champion: expected \`model-name:version\` or the name of an endpoint, got "${champion}".`);
	if (champion !== undefined && !compares && gates.length === lines.length)
		reader.fault('champion: says what `metric-gates` compare with, but none of them mentions `champion`.');
	return { gates, champion, onFailure };
}
