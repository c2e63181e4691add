// What a run made in the workspace, or found there ready made; for the summary.

/** A thing in the workspace that this run needed. */
export interface MadeAsset {
	/** `code`, `data` (an upload), `environment`, `model`, `component`. */
	readonly kind: string;
	readonly name: string;
	/** Absent for what has none: an upload. */
	readonly version?: string;
	/** ARM id, or the URI of an upload. */
	readonly id: string;
	/** Hash of the content of code. */
	readonly hash?: string;
	/** It was there before. */
	readonly reused: boolean;
	/** Number and size of the local files. */
	readonly files?: number;
	readonly bytes?: number;
}
