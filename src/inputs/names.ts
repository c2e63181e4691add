// The names among the inputs, which become parts of paths.
import { isValidName, jobNameOfBranch } from '../job/name.ts';
import type { InputReader } from './reader.ts';

/** Models that were registered by older clients may have dots in their names. */
const MODEL_NAME = /^[a-z\d][\w.-]{0,254}$/i;

/** The name of something in Azure ML. Nothing may stand in it that means something in a path. */
export function readName(
	reader: InputReader,
	input: 'job-name' | 'model-name' | 'endpoint-name' | 'deployment-name',
): string | undefined {
	const name = reader.text(input);
	const isModel = input === 'model-name';
	if (name !== undefined && !(isModel ? MODEL_NAME.test(name) : isValidName(name))) {
		const signs = isModel ? '-, _ and .' : '- and _';
		reader.fault(
			`${input}: "${name}" is not a valid name: letters, digits, ${signs}, beginning with a letter or digit, at most 255.`,
		);
	}
	return name;
}

export interface JobName {
	readonly name: string | undefined;
	/** What the input says, where `name` had to be made from it. */
	readonly writtenName: string | undefined;
}

/** A name made from a branch's name (`train-${{ github.ref_name }}`) is made valid. */
export function readJobName(reader: InputReader): JobName {
	const written = reader.text('job-name');
	const name = written === undefined || isValidName(written) ? undefined : jobNameOfBranch(written);
	if (name !== undefined) return { name, writtenName: written };
	return { name: readName(reader, 'job-name'), writtenName: undefined };
}
