// The arguments of a `browser` suite: `--platform webgpu`, `--browser chromium/headless-shell`, `--hardware`, `--flag=X`.
// The platform of a file is the suite's, or what the file's name says: `*.webgpu.test.ts`, `*.gpu.test.ts`,
// `*.webnn.test.ts`, `*.wasm.test.ts`; any other file is a plain page.
import { platforms } from '../../browsers/hallmark.ts';
import type { Platform } from '../../browsers/hallmark.ts';

export type BrowserArguments = {
  readonly platform: Platform | null;
  readonly browser: string | null;
  readonly hardwareOnly: boolean;
  readonly flags: readonly string[];
};

/** The reason where they cannot be understood. */
export function browserArguments(args: readonly string[]): BrowserArguments | string {
  let platform: Platform | null = null;
  let browser: string | null = null;
  let hardwareOnly = false;
  const flags: string[] = [];
  const rest = args.flatMap((argument) => splitValue(argument));
  for (let at = 0; at < rest.length; at += 1) {
    const name = rest[at] ?? '';
    if (name === '--hardware') hardwareOnly = true;
    else if (name === '--platform') {
      const asked = rest[(at += 1)];
      platform = platforms.find((known) => known === asked) ?? null;
      if (platform === null) return `--platform is one of ${platforms.join(', ')}, not "${asked ?? ''}"`;
    } else if (name === '--browser') browser = rest[(at += 1)] ?? '';
    else if (name === '--flag') flags.push(rest[(at += 1)] ?? '');
    else return `"${name}" is no argument of a browser suite (--platform, --browser, --hardware, --flag)`;
  }
  if (browser === '') return '--browser needs a name, such as chromium';
  return { platform, browser, hardwareOnly, flags };
}

function splitValue(argument: string): string[] {
  const found = /^(--[a-z]+)=(.*)$/s.exec(argument);
  return found ? [found[1] ?? '', found[2] ?? ''] : [argument];
}

export function platformOfFile(target: string): Platform {
  const word = /\.(gpu|webgpu|webnn|wasm)\.test\.[cm]?[jt]sx?$/.exec(target)?.[1];
  return word === 'gpu' ? 'webgpu' : (platforms.find((known) => known === word) ?? 'page');
}
