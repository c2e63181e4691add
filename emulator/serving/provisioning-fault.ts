// Deployments that do not come up, as a test or a demonstration asks for it: the codes are those of Microsoft's guide to
// troubleshooting online endpoints, the words are the emulator's own.

/** Why a deployment does not come up. */
export type ProvisioningFailure = 'image' | 'quota' | 'probe';

/** Which deployments do not come up, and why. */
export interface ProvisioningFault {
	/** Tried on `{endpoint}/{deployment}`. */
	deployment: RegExp;
	failure: ProvisioningFailure;
	/** How many times it happens; always when absent. */
	times?: number;
}

/** The error of the operation, and whether there has been a container, which then has a log. */
export interface FailureText {
	code: string;
	message: (deployment: string) => string;
	hasContainer: boolean;
}

/** What each failure looks like from outside. */
export const FAILURES: Readonly<Record<ProvisioningFailure, FailureText>> = {
	image: {
		code: 'ImageBuildFailure',
		message: (deployment) => `The image of the environment of deployment ${deployment} could not be built.`,
		hasContainer: false,
	},
	quota: {
		code: 'OutOfQuota',
		message: (deployment) => `There is not enough quota of the instance type for deployment ${deployment}.`,
		hasContainer: false,
	},
	probe: {
		code: 'ResourceNotReady',
		message: (deployment) => `The container of deployment ${deployment} runs, but its readiness probe fails.`,
		hasContainer: true,
	},
};

/** The faults that are planted now. */
export class ProvisioningFaults {
	readonly #faults = new Map<ProvisioningFault, number>();

	/** Plants a fault and gives a function that takes it away. */
	add(fault: ProvisioningFault): () => void {
		this.#faults.set(fault, 0);
		return () => this.#faults.delete(fault);
	}

	/** What befalls a deployment that is being brought up now. */
	take(endpoint: string, deployment: string): FailureText | undefined {
		for (const [fault, seen] of this.#faults) {
			if (!fault.deployment.test(`${endpoint}/${deployment}`) || seen >= (fault.times ?? Number.POSITIVE_INFINITY))
				continue;
			this.#faults.set(fault, seen + 1);
			return FAILURES[fault.failure];
		}
		return undefined;
	}
}
