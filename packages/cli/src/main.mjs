// The command line's entry as installations start it. Node strips the types of our sources when it loads them; with its compile
// cache on, the second start of a command finds that done: it starts sooner, and a worker stays some 20 MiB smaller. Plain JavaScript,
// because this file itself must not need the stripper. Whatever goes wrong with the cache costs time and memory, nothing else.
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'assay', 'cli'));
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
