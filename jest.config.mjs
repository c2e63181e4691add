import { availableParallelism } from 'node:os';

export default {
	testEnvironment: 'node',
	roots: ['<rootDir>/__tests__'],
	testMatch: ['**/*.test.ts'],
	extensionsToTreatAsEsm: ['.ts'],
	transform: { '^.+\\.ts$': '<rootDir>/scripts/strip-types.mjs' },
	// The end-to-end files wait for most of their time: two at a time even where jest would leave a core free.
	maxWorkers: Math.max(2, availableParallelism() - 1),
	coverageProvider: 'v8',
	collectCoverageFrom: ['src/**/*.ts', '!src/index.ts'],
};
