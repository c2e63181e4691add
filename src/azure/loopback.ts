// How this machine is reached under its own names, whatever resolver and proxy the environment has.
import { lookup as systemLookup } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isLoopback } from './cloud.ts';

/** Names below `localhost` are this machine (RFC 6761), though many resolvers do not know it. */
export const lookupLoopback: LookupFunction = (hostname, options, callback) => {
	if (!isLoopback(hostname) || hostname === 'localhost') return systemLookup(hostname, options, callback);
	const address = { address: '127.0.0.1', family: 4 };
	process.nextTick(() => (options.all ? callback(null, [address]) : callback(null, address.address, address.family)));
};

/** For Microsoft's libraries, with which an agent goes before the environment's proxy: loopback has no use for that. */
export const LOOPBACK_AGENTS = {
	http: new HttpAgent({ keepAlive: true, lookup: lookupLoopback }),
	https: new HttpsAgent({ keepAlive: true, lookup: lookupLoopback }),
};
