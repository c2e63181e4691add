export default {
	testEnvironment: 'node',
	roots: ['<rootDir>/__tests__'],
	testMatch: ['**/*.test.ts'],
	extensionsToTreatAsEsm: ['.ts'],
	transform: { '^.+\\.ts$': '<rootDir>/scripts/strip-types.mjs' },
	coverageProvider: 'v8',
	collectCoverageFrom: ['src/**/*.ts', '!src/index.ts'],
};
