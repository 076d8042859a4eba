// What a suite of pages asks of its browser, whichever page runner it has: the part of its arguments that decides where it
// can be placed.
import type { Suite } from '@assay/protocol';
import { browserArguments } from './browser/arguments.ts';
import type { BrowserArguments } from './browser/arguments.ts';
import { ctsArguments } from './cts/arguments.ts';
import { wptArguments } from './wpt/arguments.ts';

/** Null for a suite that opens no pages; the reason where its arguments cannot be understood. */
export function pageArgumentsOf({ runner, arguments: args }: Suite): BrowserArguments | string | null {
  switch (runner) {
    case 'browser':
      return browserArguments(args);
    case 'cts':
      return ctsArguments(args, '', {});
    case 'wpt':
      return wptArguments(args, '', {});
    default:
      return null;
  }
}
