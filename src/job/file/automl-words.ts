// The words of AutoML: what the file writes in snake case, and how the REST body spells it.

/**
 * The tasks of AutoML by the file's word: the REST word, which family of settings the task takes, and the metric that it
 * is judged by where the file names none; two tasks have one that cannot be chosen.
 */
export const TASKS = {
	classification: { type: 'Classification', family: 'table', metric: 'AUCWeighted' },
	regression: { type: 'Regression', family: 'table', metric: 'NormalizedRootMeanSquaredError' },
	forecasting: { type: 'Forecasting', family: 'table', metric: 'NormalizedRootMeanSquaredError' },
	image_classification: { type: 'ImageClassification', family: 'image', metric: 'Accuracy' },
	image_classification_multilabel: { type: 'ImageClassificationMultilabel', family: 'image', metric: 'IOU' },
	image_object_detection: { type: 'ImageObjectDetection', family: 'image', metric: 'MeanAveragePrecision' },
	image_instance_segmentation: { type: 'ImageInstanceSegmentation', family: 'image', metric: 'MeanAveragePrecision' },
	text_classification: { type: 'TextClassification', family: 'text', metric: 'Accuracy' },
	text_classification_multilabel: { type: 'TextClassificationMultilabel', family: 'text', metric: undefined },
	text_ner: { type: 'TextNER', family: 'text', metric: undefined },
} as const;

/** A task of AutoML, in the file's word. */
export type AutoMlTask = keyof typeof TASKS;

// REST words that are not simply the pascal case of the file's word.
const SPECIAL: ReadonlyMap<string, string> = new Map(
	[
		'AUCWeighted',
		'IOU',
		'KNN',
		'LightGBM',
		'LightGBMClassifier',
		'LightGBMRegressor',
		'LinearSVM',
		'LogisticRegressionCV',
		'ElasticNetCV',
		'SGD',
		'SVM',
		'SeasonTrend',
		'TCNForecaster',
		'TfIdf',
		'WoETargetEncoder',
		'XGBoostClassifier',
		'XGBoostRegressor',
	].map((rest) => [rest.toLowerCase(), rest]),
);

/** The REST spelling of a word: `norm_macro_recall` is `NormMacroRecall`, `AUC_weighted` is `AUCWeighted`. */
export function restWord(written: string): string {
	const special = SPECIAL.get(written.replaceAll('_', '').toLowerCase());
	return (
		special ??
		written
			.split('_')
			.map((part) => part.charAt(0).toUpperCase() + part.slice(1))
			.join('')
	);
}

const SPECIAL_KEYS: ReadonlyMap<string, string> = new Map([
	['step_lr_gamma', 'stepLRGamma'],
	['step_lr_step_size', 'stepLRStepSize'],
	['warmup_cosine_lr_cycles', 'warmupCosineLRCycles'],
	['warmup_cosine_lr_warmup_epochs', 'warmupCosineLRWarmupEpochs'],
	['stack_meta_learner_kwargs', 'stackMetaLearnerKWargs'],
]);

/** The REST name of a key: `early_stopping` is `earlyStopping`. */
export function restKey(key: string): string {
	return SPECIAL_KEYS.get(key) ?? key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const IMAGE_INTEGERS =
	'checkpoint_frequency early_stopping_delay early_stopping_patience evaluation_frequency gradient_accumulation_step layers_to_freeze number_of_epochs number_of_workers random_seed step_lr_step_size training_batch_size validation_batch_size warmup_cosine_lr_warmup_epochs box_detections_per_image image_size max_size min_size training_crop_size validation_crop_size validation_resize_size weighted_loss';
const IMAGE_NUMBERS =
	'beta1 beta2 learning_rate momentum step_lr_gamma warmup_cosine_lr_cycles weight_decay box_score_threshold nms_iou_threshold tile_overlap_ratio tile_predictions_nms_threshold validation_iou_threshold';
const IMAGE_BOOLEANS = 'ams_gradient distributed early_stopping enable_onnx_normalization multi_scale nesterov';
const IMAGE_TEXTS = 'advanced_settings augmentations checkpoint_run_id model_name tile_grid_size';
const IMAGE_WORDS =
	'learning_rate_scheduler optimizer model_size validation_metric_type log_training_metrics log_validation_loss';

/** The training parameters of image tasks, by the type of their values; `words` have a REST spelling of their own. */
export const IMAGE_PARAMETERS = {
	integers: IMAGE_INTEGERS.split(' '),
	numbers: IMAGE_NUMBERS.split(' '),
	booleans: IMAGE_BOOLEANS.split(' '),
	texts: IMAGE_TEXTS.split(' '),
	words: IMAGE_WORDS.split(' '),
} as const;

/** The training parameters of text tasks, by the type of their values. */
export const TEXT_PARAMETERS = {
	integers: 'gradient_accumulation_steps number_of_epochs training_batch_size validation_batch_size'.split(' '),
	numbers: 'learning_rate warmup_ratio weight_decay'.split(' '),
	booleans: [],
	texts: ['model_name'],
	words: ['learning_rate_scheduler'],
} as const;
