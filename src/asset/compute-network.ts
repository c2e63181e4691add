// Where a compute stands: the workspace's region and the subnet of a virtual network.

import type { JsonObject } from '../json.ts';
import { type MapReader, mapping } from '../yaml/checks.ts';
import { text } from '../yaml/values.ts';

/** What the bodies of computes need from the workspace. */
export interface ComputeContext {
	/** ARM id of the workspace. */
	readonly workspaceId: string;
	/** Region of the workspace, where the file gives none. */
	readonly location: string;
}

/** Reads `network_settings`; gives the subnet as the REST body of a compute holds it, once the workspace is known. */
export function subnetOf(map: MapReader): (context: ComputeContext) => JsonObject | undefined {
	const network = map.optional(
		'network_settings',
		mapping('network_settings', (settings) => {
			settings.ignore('public_ip_address', 'private_ip_address');
			return { vnet: settings.optional('vnet_name', text), subnet: settings.optional('subnet', text) };
		}),
	);
	return ({ workspaceId }) => {
		if (network?.subnet === undefined) {
			return undefined;
		}
		const group = workspaceId.split('/providers/')[0] ?? '';
		const id = network.subnet.startsWith('/')
			? network.subnet
			: `${group}/providers/Microsoft.Network/virtualNetworks/${network.vnet ?? ''}/subnets/${network.subnet}`;
		return { id };
	};
}
