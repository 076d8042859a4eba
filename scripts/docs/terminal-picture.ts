// Makes docs/images/demo.png: runs `npm run demo` for real in a terminal (tmux), keeps one screen from the middle of the run and
// the last one, and photographs both with headless Chromium. Run it when the output changed:
//   node scripts/docs/terminal-picture.ts        (needs tmux and chromium, as Debian packages them)
// What always holds: the picture shows what was really printed. One thing is replaced: the path of this folder, by ~/assay.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { ansiToHtml } from './ansi-html.ts';

const root = resolve(import.meta.dirname, '../..');
const columns = 112;
const rows = 60;
const waitMaxMs = 300_000;
const widthPx = 1060;
const lineHeightPx = 21;
const windowPaddingPx = 22;
const titlePx = 34;
const gapPx = 20;
const doneMark = 'The demo went as planned';

const scratch = mkdtempSync(join(tmpdir(), 'assay-picture-'));
const server = `assay-picture-${process.pid}`;
const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', server, ...args], { encoding: 'utf8' });

function prompt(): string[] {
  return ['\u001b[32m~/assay\u001b[39m $ \u001b[1mnpm run demo\u001b[0m'];
}

/** Two screens: the fullest one while work was going on, and the last. */
async function record(): Promise<{ middle: string[]; end: string[] }> {
  const rc = join(scratch, 'tmux.conf');
  writeFileSync(rc, 'set -g default-terminal "xterm-256color"\nset -g status off\nset -g remain-on-exit on\n');
  const command = `cd '${root}' && ASSAY_STATE='${scratch}/state' npm run --silent demo`;
  tmux('-f', rc, 'new-session', '-d', '-x', String(columns), '-y', String(rows), 'sh', '-c', command);
  let middle: string[] = [];
  let best = -1;
  for (const deadlineMs = Date.now() + waitMaxMs; Date.now() < deadlineMs; await pause(40)) {
    const screen = tmux('capture-pane', '-e', '-p');
    const plain = stripVTControlCharacters(screen);
    if (plain.includes(doneMark)) return { middle, end: endOf(lines(screen)) };
    if (plain.includes('Pane is dead')) throw new Error(`The demo ended without "${doneMark}":\n${plain}`);
    const score = worthOf(plain);
    if (score > best) [best, middle] = [score, lines(screen)];
  }
  throw new Error('The demo did not end in time.');
}

/** Many workers at work, some files done, a failure already told: what shows best how it goes. */
function worthOf(screen: string): number {
  const bar = /(\d+)\/(\d+) files/.exec(screen);
  if (bar === null) return -1;
  const running = screen.split('\n').filter((line) => /^ {2}\S.*\(.*\) {2}\S/.test(line)).length;
  return running * 150 + (screen.includes('✗') ? 100 : 0) + Math.min(Number(bar[1]), 5) * 40;
}

/** From the summary on: what stood above it is in the first screen. */
function endOf(screen: string[]): string[] {
  const last = screen.findLastIndex((line) => stripVTControlCharacters(line).startsWith('✗'));
  return screen.slice(Math.max(0, last));
}

function lines(screen: string): string[] {
  const all = screen.replaceAll(root, '~/assay').replaceAll(homedir(), '~').split('\n');
  const isEmpty = (line: string): boolean => stripVTControlCharacters(line).trim() === '';
  const end = all.findLastIndex((line) => !isEmpty(line) && !line.includes('Pane is dead'));
  return all.slice(0, end + 1);
}

function page(middle: string[], end: string[]): { html: string; heightPx: number } {
  const shot = (title: string, text: string[]): string =>
    `<section><header><i></i><i></i><i></i>${title}</header><pre>${ansiToHtml(text.join('\n'))}</pre></section>`;
  const boxPx = (count: number): number => titlePx + 2 * windowPaddingPx + count * lineHeightPx;
  const html = `<!doctype html><meta charset="utf-8"><style>
    * { margin: 0; box-sizing: border-box }
    body { background: #e9edf2; padding: ${gapPx}px; font: 14px/1 sans-serif; width: ${widthPx}px }
    section { background: #12161d; border-radius: 9px; overflow: hidden; margin-bottom: ${gapPx}px; box-shadow: 0 3px 12px #0004 }
    header { height: ${titlePx}px; background: #262c36; color: #b6c0cc; font-size: 13px; line-height: ${titlePx}px; padding: 0 14px }
    header i { display: inline-block; width: 11px; height: 11px; border-radius: 6px; background: #5a6472; margin-right: 7px; vertical-align: -1px }
    header i:last-of-type { margin-right: 14px }
    pre { padding: ${windowPaddingPx}px; color: #e6edf3; font: 14px/${lineHeightPx}px "DejaVu Sans Mono", "Liberation Mono", monospace }
  </style><body>${shot('while it runs', middle)}${shot('at the end', end)}</body>`;
  return { html, heightPx: 3 * gapPx + boxPx(middle.length) + boxPx(end.length) };
}

function photograph({ html, heightPx }: { html: string; heightPx: number }, file: string): void {
  const source = join(scratch, 'page.html');
  writeFileSync(source, html);
  execFileSync(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--force-device-scale-factor=2',
      `--user-data-dir=${join(scratch, 'browser')}`,
      `--window-size=${widthPx},${heightPx}`,
      `--screenshot=${file}`,
      `file://${source}`,
    ],
    { stdio: 'ignore', timeout: 120_000 },
  );
  process.stdout.write(`wrote ${file} (${Math.round(readFileSync(file).length / 1024)} KiB)\n`);
}

try {
  const { middle, end } = await record();
  photograph(page([...prompt(), ...middle], end), join(root, 'docs/images/demo.png'));
} finally {
  try {
    tmux('kill-server');
  } catch {
    // It ended with its session already.
  }
  rmSync(scratch, { recursive: true, force: true });
}
