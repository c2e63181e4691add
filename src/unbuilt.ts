// What the inputs can ask for but this version cannot do yet: it is refused by name, never silently passed over.
import { type Fault, InputError } from './errors.ts';
import type { Inputs } from './inputs.ts';

/** The inputs that ask for a step which is not built yet. */
const UNBUILT: readonly (readonly [string, (inputs: Inputs) => boolean])[] = [
	['github-environment', ({ report }) => report.environment !== undefined],
];

/**
 * Stops a run whose inputs ask for what is not built yet.
 * @throws InputError naming each such input
 */
export function refuseUnbuilt(inputs: Inputs): void {
	const faults: Fault[] = UNBUILT.filter(([, asked]) => asked(inputs)).map(([name]) => ({
		message: `${name}: not built yet in this version of the action; remove the input.`,
	}));
	if (faults.length > 0) throw new InputError(faults);
}
