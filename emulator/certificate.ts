// The throwaway certificate of the faces that speak TLS. Clients trust it through NODE_EXTRA_CA_CERTS or SSL_CERT_FILE.

import { generate } from 'selfsigned';
import { PUBLIC_STORAGE, STORAGE_DOMAIN } from './storage.ts';

/** A key and a self-signed certificate for localhost, 127.0.0.1 and names of storage accounts, both as PEM. */
export interface Certificate {
	key: string;
	cert: string;
}

/** Makes a certificate that holds for 30 days, from a day ago on. */
export async function makeCertificate(): Promise<Certificate> {
	const day = 24 * 60 * 60 * 1000;
	const made = await generate([{ name: 'commonName', value: 'localhost' }], {
		keySize: 2048,
		algorithm: 'sha256',
		notBeforeDate: new Date(Date.now() - day),
		notAfterDate: new Date(Date.now() + 30 * day),
		extensions: [
			{ name: 'basicConstraints', cA: true },
			{
				name: 'subjectAltName',
				altNames: [
					{ type: 2, value: 'localhost' },
					{ type: 2, value: `*.blob.${STORAGE_DOMAIN}` },
					{ type: 2, value: PUBLIC_STORAGE },
					{ type: 7, ip: '127.0.0.1' },
				],
			},
		],
	});
	return { key: made.private, cert: made.cert };
}
