import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
	anonymousEnvironmentVersion,
	type EnvironmentFile,
	environmentBody,
	readEnvironmentFile,
} from '../../src/asset/environment-file.ts';
import { loadYaml } from '../../src/yaml/load.ts';

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'environment-'));
	mkdirSync(path.join(folder, 'docker'));
	writeFileSync(
		path.join(folder, 'conda.yml'),
		'name: x\nchannels: [conda-forge]\ndependencies:\n  - python=3.10\n  - pip:\n      - mlflow\n',
	);
	writeFileSync(path.join(folder, 'bad.yml'), 'name: x\nname: y\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (yaml: string): EnvironmentFile => readEnvironmentFile(loadYaml(`name: e\n${yaml}`, 'envs/e.yml', folder));
const nothing = (): string => 'https://blob/';
const IMAGE = 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest';
const CONDA = 'channels:\n- conda-forge\ndependencies:\n- python=3.10\n- pip:\n  - mlflow\nname: x\n';

test('a conda file may be a link within the checkout, and none that leads out of it', () => {
	const checkout = mkdtempSync(path.join(folder, 'checkout-'));
	mkdirSync(path.join(checkout, 'envs'));
	mkdirSync(path.join(checkout, 'shared'));
	writeFileSync(path.join(checkout, 'shared', 'conda.yml'), 'name: shared\n');
	symlinkSync('../shared/conda.yml', path.join(checkout, 'envs', 'in.yml'));
	symlinkSync('../../conda.yml', path.join(checkout, 'envs', 'out.yml'));
	const take = (conda: string): EnvironmentFile =>
		readEnvironmentFile(
			loadYaml(`name: e\nimage: ${IMAGE}\nconda_file: ${conda}`, 'envs/e.yml', path.join(checkout, 'envs')),
		);
	expect(take('in.yml').conda).toBe('name: shared\n');
	expect(take('../../conda.yml').conda).toBe(CONDA);
	expect(() => take('out.yml')).toThrow("'out.yml' is a link that leads out of the checkout");
});

// The first two were computed by azure-ai-ml 1.35.2; the others by its formula, for the hash of the context that is used here.
describe('the hash that names an anonymous version is that of the CLI', () => {
	test.each([
		['an image', `image: ${IMAGE}`, undefined, '455df48a2c57c843992352e53f852835d2657d682cc95c74a50125f5a3347843'],
		[
			'a conda file',
			`image: ${IMAGE}\nconda_file: conda.yml`,
			undefined,
			'f5eda80e2d02fbb16fdadbc4e7b2b909c57d1c4a40bf732a1a98a5494c4c49da',
		],
		[
			'a build context',
			'build: {path: docker}',
			'560c8933b7514c50d054064b04255622',
			'5a3b4f50fd864b28daa02c563c731335b0e495dadef24a0ac2e45d9e60801716',
		],
		[
			'its Dockerfile',
			'build: {path: docker, dockerfile_path: docker/Dockerfile}',
			'560c8933b7514c50d054064b04255622',
			'440fe1fc2a8ed8489a630d4802a552d0cbf4416ba6e393e5101ca4868a4096ef',
		],
	])('%s', (_, yaml, contextHash, expected) => {
		expect(anonymousEnvironmentVersion(read(yaml), contextHash)).toBe(expected);
	});
});

test('a conda file and its content inline give the same text, with sorted keys', () => {
	const inline = 'conda_file:\n  name: x\n  dependencies: [python=3.10, {pip: [mlflow]}]\n  channels: [conda-forge]';
	expect(read(`image: i\nconda_file: conda.yml`).conda).toBe(CONDA);
	expect(read(`image: i\n${inline}`).conda).toBe(CONDA);
});

test('the body', () => {
	const file = read(
		'version: 2\nimage: i\nos_type: linux\ntags: {n: 1}\ninference_config:\n  liveness_route: {port: 1, path: /l}\n  readiness_route: {port: 1, path: /r}\n  scoring_route: {port: 1, path: /s}',
	);
	expect(environmentBody(file, nothing, false)).toEqual({
		properties: {
			isAnonymous: false,
			image: 'i',
			osType: 'Linux',
			tags: { n: '1' },
			inferenceConfig: {
				livenessRoute: { port: 1, path: '/l' },
				readinessRoute: { port: 1, path: '/r' },
				scoringRoute: { port: 1, path: '/s' },
			},
		},
	});
	expect(file.version).toBe('2');
});

test('a build context is a dependency and becomes its URL', () => {
	const file = read('build: {path: docker}');
	expect(file.dependencies).toMatchObject([{ need: 'build-context', path: path.join(folder, 'docker') }]);
	expect(environmentBody(file, nothing, true)).toEqual({
		properties: { isAnonymous: true, build: { contextUri: 'https://blob/' } },
	});
});

test.each([
	['neither image nor build', 'description: x', /needs 'image' or 'build'/],
	['both', 'image: i\nbuild: {path: docker}', /not both/],
	['a missing conda file', 'image: i\nconda_file: nope.yml', /envs\/nope\.yml, and nothing is there/],
	['a broken conda file', 'image: i\nconda_file: bad.yml', /'name' stands twice/],
	['a conda file pasted into the environment', 'image: i\ndependencies: [python]', /Unknown key 'dependencies'/],
	['a missing folder', 'build: {path: nope}', /envs\/nope/],
	['a build context that is a file', 'build: {path: conda.yml}', /folder is needed/],
])('%s is refused', (_, yaml, message) => {
	expect(() => read(yaml)).toThrow(message);
});
