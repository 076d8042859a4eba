// Which tests a file of web-platform-tests is: the pages that are made of `*.any.js` and `*.window.js`, and HTML pages that load
// testharness.js, each once for every variant. Reference tests, manual tests and those of other globals are none here.

export type WptMeta = {
  readonly title: string | null;
  readonly scripts: readonly string[];
  readonly variants: readonly string[];
  readonly globals: readonly string[];
  readonly isLong: boolean;
};

/** What the `META` comments at the head of a script say. */
export function metaOfScript(text: string): WptMeta {
  const meta = {
    title: null as string | null,
    scripts: [] as string[],
    variants: [] as string[],
    globals: [] as string[],
    isLong: false,
  };
  for (const line of text.split('\n')) {
    const found = /^\/\/\s*META:\s*(\w+)=(.*?)\s*$/.exec(line);
    if (!found && !/^\s*(\/\/.*)?$/.test(line)) break;
    const [, name, value = ''] = found ?? [];
    if (name === 'title') meta.title = value;
    if (name === 'script') meta.scripts.push(value);
    if (name === 'variant') meta.variants.push(value);
    if (name === 'global') meta.globals.push(...value.split(',').map((one) => one.trim()));
    if (name === 'timeout') meta.isLong = value === 'long';
  }
  return meta;
}

/** Addresses of the tests of a file, without a leading slash. */
export function testsOfFile(file: string, text: string): string[] {
  if (/(^|\/)(resources|support|tools|common)\//.test(file) || /-manual\.|-ref\.|\.sub\.any\./.test(file)) return [];
  if (/\.(any|window)\.js$/.test(file)) {
    const { variants, globals } = metaOfScript(text);
    return pagesOfScript(file, globals).flatMap((page) => withVariants(page, variants));
  }
  if (!/\.(html|xhtml)$/.test(file) || !text.includes('/resources/testharness.js')) return [];
  const variants = [...text.matchAll(/<meta\s+name=["']?variant["']?\s+content=["']([^"']*)["']/gi)];
  return withVariants(
    file,
    variants.map(([, variant = '']) => variant),
  );
}

function pagesOfScript(file: string, globals: readonly string[]): string[] {
  const stem = file.replace(/\.js$/, '');
  if (file.endsWith('.window.js')) return [`${stem}.html`];
  const asked = globals.length === 0 ? ['window', 'dedicatedworker'] : globals;
  const isAsked = (...names: string[]): boolean => names.some((name) => asked.includes(name));
  return [
    ...(isAsked('window') ? [`${stem}.html`] : []),
    ...(isAsked('dedicatedworker', 'worker') ? [`${stem}.worker.html`] : []),
  ];
}

function withVariants(page: string, variants: readonly string[]): string[] {
  return variants.length === 0 ? [page] : variants.map((variant) => page + variant);
}
