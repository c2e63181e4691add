// When Microsoft's client looks, by the intervals in its source: what it makes of the same work is computed, not run.

/** No job that is measured is older than this, in seconds. */
const OLDEST = 7 * 3600;

/**
 * When azure-ai-ml looks at a log, in seconds since it began to follow the job: every two seconds at first, and once a
 * minute from the third minute on (`_wait_before_polling` in azure/ai/ml/operations/_job_ops_helper.py).
 */
export function sdkLooks(until = OLDEST): number[] {
	const looks: number[] = [];
	for (let at = 0; at < until + 60; ) {
		at += Math.max(2, Math.trunc(60 / (1 + 100 * Math.exp(-at / 20))));
		looks.push(at);
	}
	return looks;
}

/** How long a line of this age of the job, in seconds, waits for the next look. */
export function sdkDelay(age: number, looks: readonly number[]): number {
	return (looks.find((look) => look >= age) ?? Number.NaN) - age;
}

/**
 * How long azure-ai-ml waits for a change that takes so many seconds, without Retry-After: it looks at a deployment every 5
 * seconds (`LROConfigurations.POLL_INTERVAL` in azure/ai/ml/constants/_common.py), and at an endpoint, whose traffic `az ml
 * online-endpoint update` sets, every 30, because it leaves that to azure-core (`LROBasePolling` in
 * azure/core/polling/base_polling.py). Both sleep before each look.
 */
export function sdkWait(what: 'deployment' | 'endpoint', seconds: number): number {
	const interval = what === 'deployment' ? 5 : 30;
	return Math.max(1, Math.ceil(seconds / interval)) * interval;
}
