// Bodies that the newest client (azure-ai-ml 1.35.2, recorded offline) sent for files with newer fields, against ours. What
// differs on purpose is listed with its reason; docs/cli-v2.md tells the same. The comparison stands beside the project
// and may be absent.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { translate } from './golden-case.ts';
import { ImaginedWorkspace } from './imagined-publish.ts';

const NEWEST = path.resolve(import.meta.dirname, '../../fixtures/newest');
const COMPARE = path.resolve(import.meta.dirname, '../../../../shared/tools/golden-compare.mjs');
const here = existsSync(COMPARE);

interface Difference {
	readonly path: string;
	readonly expected?: unknown;
	readonly got?: unknown;
}

type Compare = (sides: unknown) => readonly Difference[];

/** Differences that are meant: where (the case, a space, the path in its body), and why ours is kept. */
const MEANT: readonly (readonly [where: RegExp, why: string])[] = [
	[/client_component_hash$|components\/\w+\/versions\/\w+\.properties\.properties$/, "for the client's own cache"],
	[/componentSpec\.code$/, 'a component without code has the placeholder of 1.4.0'],
	[/componentSpec\.display_name$/, 'an inline component has the name that 1.4.0 gives it'],
	[/componentSpec\.jobs\.\w+\.name$/, 'nodes of an anonymous pipeline have no names, as with 1.4.0'],
	[/components\/\w+\/versions\/\w+\.properties\.componentSpec\.version$/, 'the body keeps the version'],
	[
		/^job-pipeline\/rich .*identity\.(identity_type|type)$/,
		'a managed identity of a node is written as 1.4.0 writes it',
	],
	[/^job-automl\/classification .*\.properties\.(queueSettings|resources)\.\w+$/, 'the API has camel case'],
	[/^job-sweep\/\S+ .*properties\.(trial\.)?resources$/, 'the stable API has the resources of a sweep in its trial'],
	[/^job-command\/locations .*computeId$/, 'a job on serverless compute names none'],
	[/^job-pipeline\/registered .*componentId$/, 'a registered component is named by its id'],
	[
		/^job-automl\/text-sweep .*searchSpace\.0\.modelName$/,
		'names of language models are written with hyphens, as 1.4.0 does',
	],
	[/^job-pipeline\/aml .*training_data$/, 'data given in an AutoML node has the form of other inputs'],
	[/^batch\/pipe .*deploymentConfiguration\.settings\.\w+$/, 'the API has text there'],
	[/^online\/\S+ .*(dataCollector|PUT \W?W\/data\/)/, "the API's words; the assets of collections must be there"],
	[/disableLocalAuth$|computeLocation$/, 'the service has its own default'],
	[/autoDeleteSetting$/, 'not part of the stable API; left out with a warning'],
	[/authorityUrl$/, 'the default of the public cloud holds in the public cloud only'],
	[/setupScripts\.scripts\.creationScript\.timeout$/, "'Nonem' is a slip"],
];

function casesIn(folder: string): string[] {
	const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
	return names.map((name) => name.replace(/\.json$/, '')).sort();
}

(here ? describe : describe.skip)('bodies of the newest client', () => {
	test.each(casesIn(path.join(NEWEST, 'bodies')))('%s', async (name) => {
		const { compareCase } = (await import(COMPARE)) as { compareCase: Compare };
		const golden = JSON.parse(readFileSync(path.join(NEWEST, 'bodies', `${name}.json`), 'utf8')) as { kind: string };
		const file = path.join(NEWEST, 'files', `${name}.yml`);
		const workspace = new ImaginedWorkspace();
		translate(golden.kind, file, workspace);
		const observed = { writes: workspace.writes, blobs: workspace.blobs };
		const found = compareCase({ golden, yaml: readFileSync(file, 'utf8'), observed });
		expect(found.filter((one) => !MEANT.some(([where]) => where.test(`${name} ${one.path}`)))).toEqual([]);
	});
});
