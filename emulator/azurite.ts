// The program of the storage process: Azurite's blob service, which ends as soon as its parent is gone.
// Arguments are Azurite's own.

process.on('disconnect', () => {
	// Azurite writes its database when it is asked to shut down.
	process.emit('SIGTERM', 'SIGTERM');
	setTimeout(() => process.exit(0), 2000).unref();
});
// The package has no types; a name that is not a literal keeps the compiler from looking for them.
const program: string = 'azurite/dist/src/blob/main.js';
await import(program);
