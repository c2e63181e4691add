// The physical limit: a program that sends the requests of a submission and does nothing else. It reads no YAML, hashes
// nothing, checks no answer and tells nobody. JavaScript, so that nothing has to be stripped at its start. Arguments: the
// origin, the tenant, the path of the workspace, the folder of the code, how many files go side by side, and `known` where
// the code counts as uploaded.
import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';

const [origin, tenant, workspace, folder, wide, known] = process.argv.slice(2);
/** Largest file that is read at one go, in bytes. */
const SMALL = 1024 * 1024;
const agent = new Agent({ keepAlive: true, maxSockets: Number(wide) });

/** Sends a request, with a text, bytes or the stream of a file, and gives the text of its answer. */
function ask(method, path, body, length, headers) {
	return new Promise((done, fail) => {
		const options = { method, agent, headers: { ...headers, 'content-length': length } };
		const sent = request(`${origin}${path}`, options, (answer) => {
			let text = '';
			answer.setEncoding('utf8');
			answer.on('data', (piece) => {
				text += piece;
			});
			answer.once('end', () => done(text));
		});
		sent.once('error', fail);
		if (typeof body === 'string' || Buffer.isBuffer(body)) sent.end(body);
		else body.pipe(sent);
	});
}

async function put(place, name) {
	const file = join(folder, name);
	const { size } = statSync(file);
	const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' };
	const body = size <= SMALL ? readAtOnce(file, size) : createReadStream(file, { highWaterMark: SMALL });
	await ask('PUT', `${place.pathname}/${name}${place.search}`, body, size, headers);
}

function readAtOnce(file, size) {
	const [descriptor, bytes] = [openSync(file, 'r'), Buffer.allocUnsafe(size)];
	readSync(descriptor, bytes, 0, size, 0);
	closeSync(descriptor);
	return bytes;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const { access_token: token } = JSON.parse(await ask('POST', `/${tenant}/oauth2/v2.0/token`, '', 0, form));
const json = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
const arm = (method, path, body = '') => ask(method, `${workspace}${path}`, body, Buffer.byteLength(body), json);
await arm('GET', '');
await Promise.all(
	['/jobs/bare', '/environments/bench/versions/1', '/computes/cpu-cluster', '/codes/bare/versions?hash=0'].map((path) =>
		arm('GET', path),
	),
);
if (known !== 'known') {
	const pending = JSON.parse(await arm('POST', '/codes/bare/versions/1/startPendingUpload', '{}'));
	const place = new URL(pending.blobReferenceForConsumption.credential.sasUri);
	const waiting = readdirSync(folder);
	const work = async () => {
		for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await put(place, name);
	};
	await Promise.all(Array.from({ length: Number(wide) }, work));
	await arm('PUT', '/codes/bare/versions/1', JSON.stringify({ properties: { codeUri: place.pathname } }));
}
await arm('PUT', '/jobs/bare', JSON.stringify({ properties: { jobType: 'Command' } }));
agent.destroy();
