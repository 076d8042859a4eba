// Whether an XML text is whole: every element closed by its own name, nothing but one element at the top. The parser
// that reads the values is lenient, and a report that was cut off must not be read as a shorter one.

const token =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z_:][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/g;

/** What is wrong with the text, or null. */
export function xmlTrouble(text: string): string | null {
  const open: string[] = [];
  let end = 0;
  let hasRoot = false;
  for (const match of text.matchAll(token)) {
    const between = text.slice(end, match.index);
    if (between.includes('<')) return `"${between.trim().slice(0, 60)}" is no XML`;
    if (open.length === 0 && between.replace('\uFEFF', '').trim() !== '')
      return 'there is text outside the top element';
    end = match.index + match[0].length;
    const name = match[2];
    if (name === undefined) continue;
    if (match[1] === '/') {
      const opened = open.pop();
      if (opened !== name) return `</${name}> closes ${opened === undefined ? 'nothing' : `<${opened}>`}`;
      continue;
    }
    if (open.length === 0 && hasRoot) return 'there is more than one top element';
    hasRoot = true;
    if (match[4] !== '/') open.push(name);
  }
  const rest = text.slice(end).trim();
  if (rest.includes('<')) return `"${rest.slice(0, 60)}" is no XML`;
  if (open.length > 0) return `<${open.at(-1) ?? ''}> is not closed`;
  if (!hasRoot) return 'there is no element in it';
  return rest === '' ? null : 'there is text after the top element';
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The five entities of XML and character references, once; every other `&` is left as it is. */
export function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/g,
    (whole: string, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
