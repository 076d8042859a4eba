// The entry of the coordinator's threads. A thread does not have the compile cache of its process: without one it loads Node's stripper
// of types, and strips and compiles its sources anew, which costs more than most threads do in a short run. So this
// switches it on, and then loads what the thread is for. Plain JavaScript, because this file itself must not need the stripper.
import { enableCompileCache } from 'node:module';

const [cacheDirectory, entry] = process.argv.slice(2);
if (cacheDirectory) enableCompileCache(cacheDirectory);
await import(entry);
