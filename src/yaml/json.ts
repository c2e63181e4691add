export * from '../json.ts';
export { isObject as isJsonObject } from '../json.ts';
