// Secrets are masked before anything leaves the process: output, messages, stacks, names. A secret may be cut in two by
// the chunks of a stream, so the stream masker holds back as much text as could still become one.

export type Masker = {
  /** A whole text. */
  mask(text: string): string;
  /** A stream: pass chunks in order, then `""` with `isLast`. */
  stream(): (chunk: string, isLast?: boolean) => string;
};

const replacement = '***';

/** Masks every given value, and its URL- and JSON-encoded forms, the longest first. Empty values are not secrets. */
export function maskerOf(secrets: readonly string[]): Masker {
  const forms = new Set(
    secrets.flatMap((secret) => [
      secret,
      encodeURIComponent(toWellFormed(secret)),
      JSON.stringify(secret).slice(1, -1),
    ]),
  );
  forms.delete('');
  if (forms.size === 0) return { mask: (text) => text, stream: () => (chunk) => chunk };
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(
    ordered.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|'),
    'g',
  );
  const mask = (text: string): string => text.replace(pattern, replacement);
  return { mask, stream: () => maskedStream(mask, ordered) };
}

function toWellFormed(text: string): string {
  return text.toWellFormed();
}

function maskedStream(
  mask: (text: string) => string,
  forms: readonly string[],
): (chunk: string, isLast?: boolean) => string {
  let held = '';
  return (chunk, isLast = false) => {
    const text = mask(held + chunk);
    const keep = isLast ? 0 : possibleStart(text, forms);
    held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  };
}

/** The length of the longest end of `text` that begins one of the forms. */
function possibleStart(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(form.slice(0, length))) longest = length;
    }
  }
  return longest;
}
