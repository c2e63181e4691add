// What an AutoML job says when its file does not, as azure-ai-ml 1.35.2 and 1.4.0 sent it, recorded offline.
import { expect, test } from '@jest/globals';
import { FileError } from '../../../src/errors.ts';
import type { JsonObject } from '../../../src/json.ts';
import { loadYaml } from '../../../src/yaml/load.ts';
import { translateFile } from './golden-case.ts';
import { ImaginedWorkspace } from './imagined-publish.ts';

function details(task: string, more = ''): JsonObject {
	const data = '{type: mltable, path: azureml:d:1}';
	const head = `type: automl\ntask: ${task}\ncompute: azureml:c\ntarget_column_name: y\ntraining_data: ${data}\n`;
	const forecasting = task === 'forecasting' ? 'forecasting: {time_column_name: t}\n' : '';
	const yaml = `${head}validation_data: ${data}\n${forecasting}${more}\n`;
	const workspace = new ImaginedWorkspace();
	translateFile('job:automl', loadYaml(yaml, 'job.yml', import.meta.dirname), workspace);
	const { properties } = workspace.writes.at(-1)?.body ?? {};
	return (properties as { taskDetails: JsonObject }).taskDetails;
}

test.each([
	['classification', 'AUCWeighted'],
	['regression', 'NormalizedRootMeanSquaredError'],
	['forecasting', 'NormalizedRootMeanSquaredError'],
	['image_classification', 'Accuracy'],
	['image_classification_multilabel', 'IOU'],
	['image_object_detection', 'MeanAveragePrecision'],
	['image_instance_segmentation', 'MeanAveragePrecision'],
	['text_classification', 'Accuracy'],
	['text_classification_multilabel', undefined],
	['text_ner', undefined],
])('the metric of %s is %s', (task, metric) => {
	expect(details(task)['primaryMetric']).toBe(metric);
	expect(details(task, 'primary_metric: norm_macro_recall')['primaryMetric']).toBe(metric && 'NormMacroRecall');
});

test.each([
	['classification', '{}', { mode: 'Auto' }],
	['regression', '{dataset_language: eng}', { datasetLanguage: 'eng', mode: 'Auto' }],
	['forecasting', '{mode: "off"}', { mode: 'Off' }],
	['text_ner', '{dataset_language: eng}', { datasetLanguage: 'eng' }],
])('%s with featurization %s', (task, written, expected) => {
	expect(details(task, `featurization: ${written}`)['featurizationSettings']).toEqual(expected);
});

test.each([
	['text_ner', 'featurization: {mode: auto}'],
	['text_classification', 'featurization: {blocked_transformers: [text_target_encoder]}'],
	['classification', 'training_parameters: {}'],
	['regression', 'positive_label: p'],
	['forecasting', 'positive_label: p'],
])('%s takes no %s', (task, member) => {
	expect(() => details(task, member)).toThrow(FileError);
	expect(() => details(task, member)).toThrow(/Unknown key/);
});

test('only classification has a positive label', () => {
	expect(details('classification', 'positive_label: p')['positiveLabel']).toBe('p');
});
