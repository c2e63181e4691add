// Durations as Azure ML's REST API wants them: ISO 8601, largest units first.

/** A span of seconds (fractions allowed) as ISO 8601: `PT1M40S`, `P1DT1H1M1S`, `PT0.5S`. */
export function isoDuration(seconds: number): string {
	const millis = Math.round(seconds * 1000);
	const days = Math.floor(millis / 86_400_000);
	const hours = Math.floor(millis / 3_600_000) % 24;
	const minutes = Math.floor(millis / 60_000) % 60;
	const rest = (millis % 60_000) / 1000;
	const date = days > 0 ? `${days}D` : '';
	const time = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${rest > 0 ? `${rest}S` : ''}`;
	if (date === '' && time === '') {
		return 'PT0S';
	}
	return `P${date}${time === '' ? '' : `T${time}`}`;
}
