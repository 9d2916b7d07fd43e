// The types of `import switchboard, { Client } from 'switchboard'`.

import type * as types from './types/all.js';

declare const switchboard: types.Client & typeof types;
export default switchboard;
export * from './types/all.js';
