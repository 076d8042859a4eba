// The scripts of in-page/ as text for a browser: each is a module that imports nothing, so that it can be run as an
// expression in any world of a page.
import { readFileSync } from 'node:fs';

/** An expression that calls the function of that name in in-page/<name>.mjs with these arguments (JSON). */
export function inPageCall(name: 'measure' | 'probe' | 'witness', ...args: readonly unknown[]): string {
  const text = readFileSync(new URL(`in-page/${name}.mjs`, import.meta.url), 'utf8').replaceAll(/^export /gm, '');
  return `(() => { ${text}\nreturn ${name}(${args.map((value) => JSON.stringify(value)).join(', ')}); })()`;
}
