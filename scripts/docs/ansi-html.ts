// Terminal output with its colours (SGR sequences, as `tmux capture-pane -e` gives them) as HTML. Only what our own output
// uses is known: bold, dim, the sixteen colours. What always holds: the text is escaped, and every span is closed.

const palette: Record<number, string> = {
  30: '#3b4252',
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
  37: '#e6edf3',
  90: '#8b949e',
  91: '#ffa198',
  92: '#9be9a8',
  93: '#f2cc60',
  94: '#a5d6ff',
  95: '#e2c5ff',
  96: '#b3f0f5',
  97: '#ffffff',
};

type Style = { isBold: boolean; isDim: boolean; colour: string | null };

/** HTML for the inside of a `<pre>`. */
export function ansiToHtml(text: string): string {
  let style: Style = { isBold: false, isDim: false, colour: null };
  let html = '';
  for (const part of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b[')) style = applied(style, part.slice(2, -1));
    else if (part !== '') html += span(part, style);
  }
  return html;
}

function applied(before: Style, codes: string): Style {
  const style = { ...before };
  for (const code of codes === '' ? [0] : codes.split(';').map(Number)) {
    if (code === 0) Object.assign(style, { isBold: false, isDim: false, colour: null });
    else if (code === 1) style.isBold = true;
    else if (code === 2) style.isDim = true;
    else if (code === 22) Object.assign(style, { isBold: false, isDim: false });
    else if (code === 39) style.colour = null;
    else if (palette[code] !== undefined) style.colour = palette[code];
  }
  return style;
}

function span(text: string, { isBold, isDim, colour }: Style): string {
  const css = [
    ...(isBold ? ['font-weight:700'] : []),
    ...(colour === null ? (isDim ? ['color:#9aa4b2'] : []) : [`color:${colour}`]),
  ].join(';');
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return css === '' ? escaped : `<span style="${css}">${escaped}</span>`;
}
