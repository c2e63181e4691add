// How a job's process reaches the tracking server: by a key in a plain address, or, over TLS, as azureml-mlflow expects it.

import type { ArmCall } from './arm/call.ts';
import type { TrackingKeys } from './mlflow.ts';
import { CLOUD_NAME, entraIssuer, IDENTITY, type Platform } from './platform.ts';

/** Life of a job's token, in seconds. */
const TOKEN_LIFE = 24 * 60 * 60;

/**
 * The variables of the tracking server. Its `azureml://` address, as the service sets it, is read by the package
 * azureml-mlflow alone, which goes to `https`; without TLS, MLflow's own client gets an address that it can use.
 */
export async function trackingVariables(
	platform: Platform,
	keys: TrackingKeys,
	{ call, runId }: { call: ArmCall; runId: string },
): Promise<Record<string, string>> {
	const { arm } = platform.origins;
	if (!arm.startsWith('https:')) return { MLFLOW_TRACKING_URI: arm + keys.issue(runId) };
	const { subscription, group, workspace } = call.names;
	const scope = `subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}`;
	const claims = { aud: arm, iss: entraIssuer(IDENTITY.tenantId), tid: IDENTITY.tenantId, oid: IDENTITY.objectId };
	return {
		MLFLOW_TRACKING_URI: `azureml://${new URL(arm).host}/mlflow/v1.0/${scope}`,
		MLFLOW_TRACKING_TOKEN: await platform.entraKeys.sign(claims, TOKEN_LIFE),
		// azureml-mlflow asks its cloud for the scope of the token.
		AZUREML_CURRENT_CLOUD: CLOUD_NAME,
		ARM_CLOUD_METADATA_URL: `${arm}/metadata/endpoints?api-version=2019-05-01`,
	};
}
