// Any command as a test: its argument vector is the suite's arguments, with `{target}` replaced by the task's target.
// It is never detected; its user names it.
import { findExecutable } from '../project-files.ts';
import type { Detection, Launch, Listing, Runner } from '../runner.ts';
import path from 'node:path';

const placeholder = '{target}';

export const commandRunner: Runner = {
  name: 'command',

  async detect(): Promise<Detection | null> {
    return null;
  },

  /** One task for the whole command, or one for each file named, when the command takes a target. */
  async list(_projectDir, suite, filters): Promise<Listing> {
    const takesTarget = suite.arguments.some((argument) => argument.includes(placeholder));
    return { kind: 'listed', targets: takesTarget ? [...new Set(filters)].toSorted() : [''] };
  },

  async launch(projectDir, suite, env): Promise<Launch> {
    const command = suite.arguments[0];
    if (command === undefined || command === '') {
      return {
        kind: 'refused',
        code: 'CONFIG_INVALID',
        reason: 'A command suite needs its argument vector in "arguments".',
      };
    }
    const directory = path.join(projectDir, suite.directory);
    const isPath = command.includes('/') && !path.isAbsolute(command);
    const found =
      command.includes(placeholder) || (await findExecutable(isPath ? path.join(directory, command) : command, env));
    if (!found) {
      return {
        kind: 'refused',
        code: 'RUNNER_NOT_INSTALLED',
        reason: `${command} is not on the worker's PATH: install it there, or name it by its path.`,
      };
    }
    return {
      kind: 'direct',
      argumentsOf: (target) => suite.arguments.map((argument) => argument.replaceAll(placeholder, target)),
    };
  },
};
