// `assay browsers`: the browsers of this machine as pages of them see it. Each is really started and measured, or the reason is
// said why it could not be; what was measured before is shown without starting it again.
import { probeWithBrowsers } from '@assay/agent/inspect';
import type { Command } from 'commander';
import type { InstalledBrowser } from '@assay/protocol';
import { exitCodes } from '../exit-codes.ts';
import { paintFor } from '../render/style.ts';
import { action } from './options.ts';

export function addBrowsersCommand(program: Command): void {
  program
    .command('browsers')
    .description('Start the browsers of this machine and say what their pages get.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  assay browsers --json')
    .action(action(browsers));
}

async function browsers(options: { json?: boolean }): Promise<number> {
  if (process.stderr.isTTY)
    process.stderr.write('measuring; some seconds for each browser that was not measured before\n');
  const { profile } = await probeWithBrowsers();
  const unknown = profile.unknown.filter(({ field }) => field.startsWith('browsers.'));
  if (options.json === true)
    process.stdout.write(
      `${JSON.stringify({ browsers: profile.browsers, drivers: profile.drivers, unknown }, null, 2)}\n`,
    );
  else {
    const paint = paintFor(process.stdout);
    if (profile.browsers.length === 0) process.stdout.write('This machine has no browser that is known here.\n');
    for (const browser of profile.browsers) {
      const { name, channel, version } = browser;
      process.stdout.write(`${paint('bold', channel === undefined ? name : `${name}/${channel}`)} ${version}\n`);
      for (const [what, text] of shown(browser)) process.stdout.write(`  ${what.padEnd(8)} ${text}\n`);
    }
    for (const { field, reason } of unknown)
      process.stdout.write(`${paint('yellow', '?')} ${field}: ${firstLine(reason)}\n`);
  }
  return profile.browsers.some(({ wasm }) => wasm !== undefined) ? exitCodes.passed.code : exitCodes.failed.code;
}

function shown({ webgpu, webnn, wasm, webgl, page }: InstalledBrowser): [string, string][] {
  if (wasm === undefined) return [['pages', 'not measured']];
  const adapters = (webgpu ?? []).map(({ vendor, architecture, description, isSoftware, features }) => {
    const names = [vendor, architecture, description].filter((text) => text !== undefined).join(' ') || 'unnamed';
    return `${isSoftware ? 'software adapter' : 'hardware adapter'} (${names}), ${features.length} features`;
  });
  const contexts = (webnn ?? []).map(({ deviceType, operators }) => `${deviceType} (${operators.length} operators)`);
  return [
    ['webgpu', adapters.join('; ') || 'no adapter'],
    ['webnn', contexts.join('; ') || 'no context'],
    ['wasm', wasm.features.join(' ')],
    ['webgl', webgl === undefined ? 'none' : `${webgl.isSoftware ? 'software: ' : ''}${webgl.renderer}`],
    ['isolated', page?.isIsolated === true ? 'yes' : 'no'],
  ];
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
