// A small client of a started emulator for the tests beside it: signs in, calls Resource Manager and the data plane.

import { readFileSync } from 'node:fs';
import { request as sendHttps } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { Emulator } from '../../emulator/emulator.ts';

// Starting storage and Python takes a second on a quiet machine, and much longer on a busy one.

/** A JSON object. */
export type Json = Record<string, unknown>;

/** Walks into nested JSON by names and indices; `undefined` where there is nothing. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
	return path.reduce<unknown>((inner, step) => (inner as Json | undefined | null)?.[step], value);
}

/** An answer; `body` is parsed JSON or the text. */
export interface Reply {
	status: number;
	headers: Headers;
	body: Json;
	text: string;
}

/** Sends a form to Entra's token endpoint. */
export function postForm(emulator: Emulator, tenant: string, form: Record<string, string>): Promise<Reply> {
	return callEntra(emulator, `/${tenant}/oauth2/v2.0/token`, form);
}

/** Calls Entra over TLS, trusting the emulator's certificate only: by POST when there is a form, else by GET. */
export function callEntra(emulator: Emulator, path: string, form?: Record<string, string>): Promise<Reply> {
	const options = {
		method: form === undefined ? 'GET' : 'POST',
		ca: readFileSync(emulator.caFile),
		agent: false,
		headers: form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' },
	};
	return new Promise((resolve, reject) => {
		const sent = sendHttps(`${emulator.authority}${path}`, options, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (part: string) => {
				text += part;
			});
			answer.on('end', () => {
				resolve({ status: answer.statusCode ?? 0, headers: new Headers(), body: JSON.parse(text) as Json, text });
			});
		});
		sent.on('error', reject);
		sent.end(form === undefined ? undefined : new URLSearchParams(form).toString());
	});
}

/** A signed-in client of one emulator. */
export class Client {
	readonly emulator: Emulator;
	readonly token: string;
	/** Path of the workspace. */
	readonly workspace: string;

	private constructor(emulator: Emulator, token: string) {
		this.emulator = emulator;
		this.token = token;
		this.workspace = `/subscriptions/${emulator.subscriptionId}/resourceGroups/${emulator.resourceGroup}/providers/Microsoft.MachineLearningServices/workspaces/${emulator.workspace}`;
	}

	static async signIn(emulator: Emulator, resource = emulator.arm): Promise<Client> {
		const { body } = await postForm(emulator, emulator.tenantId, {
			grant_type: 'client_credentials',
			client_id: emulator.clientId,
			client_secret: emulator.clientSecret,
			scope: `${resource}/.default`,
		});
		return new Client(emulator, body['access_token'] as string);
	}

	/** Calls any address with this client's token, or with the headers given. */
	async send(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
		const content = body === undefined ? {} : { body: JSON.stringify(body) };
		const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
		const answer = await fetch(url, {
			method,
			headers: { Authorization: `Bearer ${this.token}`, Connection: 'close', ...type, ...headers },
			...content,
		});
		const text = await answer.text();
		let parsed: unknown = text;
		try {
			parsed = JSON.parse(text);
		} catch {
			// The text is asserted on as it is.
		}
		return { status: answer.status, headers: answer.headers, body: parsed as Json, text };
	}

	/** Calls Resource Manager at a path below the workspace. */
	arm(method: string, path: string, body?: unknown): Promise<Reply> {
		const mark = path.includes('?') ? '&' : '?';
		return this.send(method, `${this.emulator.arm}${this.workspace}${path}${mark}api-version=2025-09-01`, body);
	}

	/** Calls a data plane service, e.g. `history/v1.0`, at a path below the workspace. */
	data(method: string, service: string, path: string, body?: unknown): Promise<Reply> {
		return this.send(method, `${this.emulator.arm}/${service}${this.workspace}${path}`, body);
	}

	/** Asks again until `done` is true of the answer. */
	async until(ask: () => Promise<Reply>, done: (reply: Reply) => boolean): Promise<Reply> {
		for (;;) {
			const reply = await ask();
			if (done(reply)) return reply;
			await pause(10);
		}
	}

	/** Polls an operation to its end, by the address of its first answer. */
	async operation(first: Reply): Promise<Reply> {
		const url = first.headers.get('azure-asyncoperation') ?? '';
		return await this.until(
			() => this.send('GET', url),
			(reply) => /^(Succeeded|Failed|Canceled)$/.test(reply.body['status'] as string),
		);
	}

	/** Uploads files as a code version and gives its id. */
	async code(name: string, files: Record<string, string>): Promise<string> {
		const upload = await this.arm('POST', `/codes/${name}/versions/1/startPendingUpload`, {
			pendingUploadType: 'TemporaryBlobReference',
		});
		const blobUri = at(upload.body, 'blobReferenceForConsumption', 'blobUri');
		const query = String(at(upload.body, 'blobReferenceForConsumption', 'credential', 'sasUri')).split('?')[1];
		for (const [path, text] of Object.entries(files)) {
			const answer = await fetch(`${blobUri}/src/${path}?${query}`, {
				method: 'PUT',
				headers: {
					'x-ms-blob-type': 'BlockBlob',
					'x-ms-version': '2022-11-02',
					'If-None-Match': '*',
					Connection: 'close',
				},
				body: text,
			});
			if (answer.status !== 201) throw new Error(`blob ${path}: ${answer.status} ${await answer.text()}`);
		}
		await this.arm('PUT', `/codes/${name}/versions/1`, { properties: { codeUri: `${blobUri}/src` } });
		return `${this.workspace}/codes/${name}/versions/1`;
	}

	/** Puts a command job on the cluster that every workspace has. */
	job(name: string, command: string, more: Record<string, unknown> = {}): Promise<Reply> {
		return this.arm('PUT', `/jobs/${name}`, {
			properties: {
				jobType: 'Command',
				command,
				environmentId: `${this.workspace}/environments/python-stdlib/versions/1`,
				computeId: `${this.workspace}/computes/cpu-cluster`,
				...more,
			},
		});
	}

	/** Waits for the end of a job and gives its last state. */
	async ended(name: string): Promise<string> {
		const reply = await this.until(
			() => this.arm('GET', `/jobs/${name}`),
			({ body }) => /^(Completed|Failed|Canceled)$/.test(String(at(body, 'properties', 'status'))),
		);
		return String(at(reply.body, 'properties', 'status'));
	}
}
