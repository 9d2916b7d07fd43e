// Everything that the package has by name.

export * from './calls';
export * from './client';
export * from './errors';
export * from './events';
export * from './objects';
