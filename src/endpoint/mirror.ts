// Mirrored traffic, as an endpoint file asks for it: a copy of live requests that a deployment gets beside those who
// are answered by another. The service answers callers from live traffic only.
import { findDeployment } from './online-deployment.ts';
import { findEndpoint, gone, type OnlineEndpoint, setTraffic } from './online-endpoint.ts';
import type { EndpointParts } from './online-wait.ts';
import { inPlaceOf, servingTraffic, shareOf, type TrafficMap, trafficText } from './traffic.ts';

/** The share to mirror, and why it cannot be: only a deployment that exists and has no live traffic may be mirrored to. */
async function mirrorable(wish: TrafficMap, endpoint: OnlineEndpoint, parts: EndpointParts): Promise<TrafficMap> {
	const possible: Record<string, number> = {};
	for (const [name, share] of Object.entries(servingTraffic(wish))) {
		const live = shareOf(endpoint.traffic, name) ?? 0;
		const why =
			live > 0
				? `it has ${live} % of the live traffic`
				: (await findDeployment(endpoint.name, name, parts)) === undefined && 'there is no such deployment';
		if (why === false) possible[name] = share;
		else parts.log.warning(`No traffic of ${endpoint.name} is mirrored to ${name}, as its file asks: ${why}.`);
	}
	return possible;
}

/**
 * Mirrors traffic as the file asks, in the place of what was mirrored before; live traffic stays as it is. A share that
 * cannot be mirrored is a warning. `onChange` is called right before something is changed.
 * @returns what is mirrored now
 * @throws TrafficChanged when the live traffic is not `live` any more
 */
export async function mirrorTraffic(
	name: string,
	{ wish, live, onChange }: { wish: TrafficMap; live?: TrafficMap; onChange?: () => void },
	parts: EndpointParts,
): Promise<TrafficMap> {
	const endpoint = await findEndpoint(name, parts);
	if (endpoint === undefined) throw gone(name);
	const wanted = await mirrorable(wish, endpoint, parts);
	if (Object.keys(wanted).length === 0) return servingTraffic(endpoint.mirrorTraffic);
	onChange?.();
	const from = live ?? endpoint.traffic;
	const mirror = inPlaceOf(endpoint.mirrorTraffic, wanted);
	const { mirrorTraffic: now } = await setTraffic(name, { from, to: from, mirror }, parts);
	parts.log.info(`Mirrored traffic of ${name}: ${trafficText(now)}`);
	return now;
}
