#!/usr/bin/env node
// `assay`, from any folder, with Node 20 or later: sets itself up when needed, then runs the command line under the
// pinned Node. The project that is tested belongs to its user and runs under the user's own Node and tools, so our
// folders are NOT put on the PATH here; the untouched PATH is also handed on as ASSAY_USER_PATH.
import { join } from 'node:path';
import { buildDashboard, ensureInstalled, report, root, runAndExit } from '../scripts/bootstrap.mjs';

try {
  const node = await ensureInstalled();
  if (process.argv[2] === 'up') await buildDashboard(node);
  const path = process.env.PATH ?? process.env.Path ?? '';
  const main = join(root, 'packages', 'cli', 'src', 'main.mjs');
  runAndExit(node, [main, ...process.argv.slice(2)], { ...process.env, ASSAY_USER_PATH: path });
} catch (error) {
  report(error);
}
