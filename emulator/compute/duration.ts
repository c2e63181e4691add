// ISO 8601 durations, as limits are written in ARM bodies.

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** The milliseconds of a duration such as `PT1H30M`; undefined when the text is not one of days or smaller units. */
export function durationMilliseconds(text: string): number | undefined {
	const match = DURATION.exec(text);
	if (match === null || !/\d/.test(text)) return undefined;
	const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
	return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}
