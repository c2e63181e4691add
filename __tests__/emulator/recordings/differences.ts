// How the emulator's answers differ from recorded ones, and what is not sent to it again, each with its reason. The test
// fails for what is not here, and for a line here that no longer stands for anything.

/** `[route, difference, reason]`: the first two are tried as regular expressions against the whole of a finding. */
export const DIFFERENCES: readonly (readonly [RegExp, RegExp, string])[] = [
	[
		/.*/,
		/(.*\.)?systemData\.(createdBy|lastModified)\w*: .*/,
		'The service keeps fewer of these for some kinds; no client reads them.',
	],
	[/.* \/computes\/\* .*/, /systemData: not recorded/, 'Api-versions before 2023 had none for computes.'],
	[
		/.*\/(codes|environments)\/\*\/versions\/\* .*/,
		/properties\.(provisioningState|autoRebuild|stage): not recorded/,
		'Newer api-versions have it.',
	],
	[/.* \/jobs\/\* .*/, /properties\.(inputs|queueSettings): not recorded/, 'Newer api-versions have it; it is empty.'],
	[/GET {2}200/, /(kind|properties\.\w+): .*/, 'Settings of the account around a workspace, which nothing here has.'],
	[
		/.* \/computes\/\* .*/,
		/properties\.(computeLocation|properties\.\*\.nodeIdleTimeBeforeScaleDown): .*/,
		'The recorded bodies of computes differ among themselves.',
	],
	[/.* \/batchEndpoints\/\* .*/, /identity\.userAssignedIdentities: missing/, 'It is empty where it was recorded.'],
	[
		/GET \/(models|components\/\*\/versions) 200/,
		/(nextLink|x-trimmed): missing/,
		'The recorded list has more pages than this workspace has items.',
	],
	[
		/PUT \/components\/\*\/versions\/\* 201/,
		/.*componentSpec\.((inputs|outputs)\.\*\.mode|resources(\.instance_type)?|jobs): not recorded/,
		'The service does not show all that it keeps of a component: the steps of a pipeline, what a port and a machine are.',
	],
	[
		/PUT \/components\/\*\/versions\/\* 201/,
		/.*componentSpec\.\$schema: missing/,
		'It names a schema where the request named none.',
	],
	[
		/.* \/jobs\/\* .*/,
		/properties\.taskDetails\..*: missing/,
		'Defaults of AutoML jobs, which are checked and not run.',
	],
	[/GET {2}404/, /status 200: .*/, 'The masked name of the workspace that was missing is that of all others.'],
	[/GET \/models\/\*\/versions\/\* 200/, /status 404: .*/, 'The recording does not show where the model was made.'],
	[
		/.* \/jobs\/\*(\/cancel)? 20[01]/,
		/status 40[04]: (Job \* not found\.|The environmentId .* is not a valid id of an environment\.)/,
		'An import job with an environment without version, as no api-version has them now.',
	],
	[/POST \/jobs\/\*\/cancel 400/, /status 202: .*/, 'The recorded pipeline had ended before it was cancelled.'],
	[
		/PUT \/(codes|models)\/\*\/versions\/\* 200/,
		/status 201: .*/,
		'The version was there before the recording begins.',
	],
	[/PUT \/(environments\/\*\/versions|jobs)\/\* 201/, /status 200: .*/, 'Two resources have the same masked name.'],
	[
		/PUT \/jobs\/\* (201|400)/,
		/status 404: Not found component .*/,
		'The recording does not show where the component was made.',
	],
	[/PUT \/jobs\/\* 404/, /status 201: .*/, 'What was missing then is furnished for the other recordings.'],
	[
		/(GET \/history\/v1\.0\/runs\/\*\/details|POST \/history\/v1\.0\/rundata) 200/,
		/(runMetadata\.)?(\w*[rR]evision|\w*[dD]uration|current\w+|\w+By|userId|runNumber|\w*StartTimeUtc|lastModifiedUtc|\w+Uris?|uniqueChildRunComputeTargets|retainForLifetimeOfWorkspace): missing|properties\.azureml\.pipelines\.stages: not recorded/,
		'Counters, times and people that no client reads; the stages come with the end of a pipeline.',
	],
	[/GET discovery 200/, /(catalog|gallery|labeling|quota-manager): missing/, 'Services that the emulator has not.'],
	[
		/GET mfeOperationResults 20[02]/,
		/status 20[02]: .*/,
		'An operation may end sooner or later than the recorded one.',
	],
	[
		/GET (mfe|compute)OperationsStatus 200/,
		/(startTime|endTime|percentComplete|error): .*/,
		'An operation that has ended tells more than one that runs, and some polls were recorded of each.',
	],
	[
		/GET v2\.0\/\.well-known\/openid-configuration 200/,
		/\w+: missing/,
		'Signing in of people, and the clouds around; clients of a service principal read neither.',
	],
	[
		/POST oauth2\/v2\.0\/token 200/,
		/refresh_in: missing/,
		'Recorded with a token that lives a day; those of the emulator live an hour, too short to be renewed early.',
	],
	[
		/GET container list 200/,
		/element (Content-\w+|Cache-Control|(Or)?Metadata): missing/,
		'The service names what is empty, Azurite leaves it out.',
	],
	[/GET container list 200/, /element (Marker|MaxResults|Sealed): not recorded/, 'Azurite names them unasked.'],
	[/GET blob 416/, /header content-length: missing/, 'Azurite sends the text of an error in chunks.'],
	[/GET registry discovery 200/, /registryFqdns\.\w+: missing/, 'The registry is in one region.'],
];

/** Exchanges that are not sent again, each with the reason: the route is method, path with names left out, and status. */
export const NOT_SENT: readonly (readonly [RegExp, string])[] = [
	[/ (429|50\d)$/, 'a failure of the service'],
	[/\/(schedules|snapshots|diagnose)(\/|\b)/, 'not emulated'],
	[/\/(workspaceOperationsStatus\/|mfeOperationsStatus\/s:)/, 'operations of what is not emulated'],
	[/\/(common\/discovery\/instance|assetstore\/.*) \d+$/, 'not emulated'],
	[/\/registries\/[^/]+(\/components\/.*)? \d+$/, 'not emulated: registries, and what is in them, but for models'],
];

/** Gives the line that explains a finding. */
export function explanationOf(route: string, difference: string): (typeof DIFFERENCES)[number] | undefined {
	return DIFFERENCES.find(([where, what]) => whole(where).test(route) && whole(what).test(difference));
}

function whole({ source }: RegExp): RegExp {
	return new RegExp(`^(?:${source})$`, 's');
}
