// The agent's process, by a path that Node can run as it is. agent-process.mjs does the same with less memory.
import { main } from './agent-main.ts';

await main();
