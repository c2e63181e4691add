import { availableParallelism } from 'node:os';

export default {
	testEnvironment: 'node',
	roots: ['<rootDir>/__tests__'],
	testMatch: ['**/*.test.ts'],
	extensionsToTreatAsEsm: ['.ts'],
	transform: { '^.+\\.ts$': '<rootDir>/scripts/strip-types.mjs' },
	// The end-to-end files wait for most of their time: two at a time even where jest would leave a core free.
	maxWorkers: Math.max(2, availableParallelism() - 1),
	// Only to end a test that hangs: how long one takes says more about what else the machine does than about the test.
	testTimeout: 120_000,
	coverageProvider: 'v8',
	collectCoverageFrom: ['src/**/*.ts', '!src/index.ts'],
};
