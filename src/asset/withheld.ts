// Files that are never uploaded, because they hold credentials or belong to the runner, unless `.amlignore` names them.
// Secret values inside other files are secrets-guard.ts's.
import path from 'node:path';

/** Names of files and folders, at any depth. */
const WITHHELD_NAMES: readonly RegExp[] = [
	// Of git, shells and remote logins; a public key may go.
	/^\.git$/i,
	/^\.git-credentials$/i,
	/^\.env/i,
	/^[._]netrc$/i,
	/^\.(ssh|gnupg)$/i,
	/^id_(rsa|dsa|ecdsa|ed25519)(?!.*\.(pub|py)$)/i,
	// Of clouds and services. google-github-actions/auth writes gha-creds-… into the checkout.
	/^\.(azure|aws|docker|kube|kaggle)$/i,
	/^azureauth\.json$/i,
	/\.publishsettings$/i,
	/^gha-creds-.*\.json$/i,
	/^application_default_credentials\.json$/i,
	/^kaggle\.json$/i,
	/^\.(dockercfg|databrickscfg|s3cfg|boto|vault-token|pgpass|htpasswd|npmrc|pypirc)$/i,
	// Private keys and stores of them.
	/\.(pem|key|pfx|p12|ppk|jks|kdbx)$/i,
	/^_runner_file_commands$/,
];

/** Whether a path (relative, with `/`) leads to or through something that is withheld by its name. */
export function isWithheldName(relative: string): boolean {
	return relative.split('/').some((part) => WITHHELD_NAMES.some((name) => name.test(part)));
}

/** Whether an absolute path is one of `folders` or lies below one. */
export function isBelowAny(absolute: string, folders: readonly string[]): boolean {
	return folders.some((folder) => isInside(folder, absolute));
}

/** Whether an absolute path is `folder` or lies below it; by their texts alone. */
export function isInside(folder: string, absolute: string): boolean {
	const relative = path.relative(folder, absolute);
	return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
