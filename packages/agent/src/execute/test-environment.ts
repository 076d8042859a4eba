// The environment of the tests: the user's own, not ours. Tests need their environment, so there is no allow-list; what
// is removed are our tokens, and what the runner under which the agent itself may have been started left behind.
import type { Suite } from '@assay/protocol';
import type { Environment } from '../runners/runner.ts';

const ours = [
  /^ASSAY_/,
  /^VITEST($|_)/,
  /^NODE_TEST_CONTEXT$/,
  /^NODE_CHANNEL_/,
  /^NODE_UNIQUE_ID$/,
  /^PYTEST_CURRENT_TEST$/,
  /^TINYPOOL_/,
];

/**
 * The variables that the runner and its tests see. The agent is often re-executed under a pinned Node with its own
 * PATH and NODE_OPTIONS: ASSAY_USER_PATH and ASSAY_USER_NODE_OPTIONS then carry what the user had.
 */
export function testEnvironment(
  suite: Pick<Suite, 'env'>,
  base: Readonly<Record<string, string | undefined>>,
): Environment {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !ours.some((pattern) => pattern.test(name))) environment[name] = value;
  }
  if (base['ASSAY_USER_PATH']) environment['PATH'] = base['ASSAY_USER_PATH'];
  const nodeOptions = base['ASSAY_USER_NODE_OPTIONS'];
  if (nodeOptions !== undefined) {
    if (nodeOptions === '') delete environment['NODE_OPTIONS'];
    else environment['NODE_OPTIONS'] = nodeOptions;
  }
  for (const [name, value] of Object.entries(suite.env)) if (!name.startsWith('ASSAY_TOKEN')) environment[name] = value;
  return environment;
}

/** The values to mask: the named variables of the suite, else of the worker. */
export function secretValues(suite: Suite, base: Readonly<Record<string, string | undefined>>): string[] {
  const named = suite.secrets.map((name) => suite.env[name] ?? base[name] ?? '');
  const tokens = Object.entries(base).map(([name, value]) => (name.startsWith('ASSAY_TOKEN') ? (value ?? '') : ''));
  return [...named, ...tokens].filter((value) => value !== '');
}
