// Jest transformer: node's own type stripping, so tests run exactly what node 24 would run.
import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';

export default {
	getCacheKey: (source, path, options) =>
		createHash('sha256')
			.update(`strip-1-${process.version}`)
			.update(source)
			.update('\0')
			.update(path)
			.update(String(options.instrument))
			.digest('hex'),
	process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
