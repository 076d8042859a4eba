// Loaded before a coordinator (`node --import`) that a test wants broken: changes the text of one module while it is loaded, as the
// variable DRILL_MUTANT says. A text that is not found is an error: a mutant that changes nothing would prove nothing.
// Plain JavaScript, because it is loaded before anything that strips types.
import { registerHooks } from 'node:module';

const { module, changes } = JSON.parse(process.env.DRILL_MUTANT ?? '{}');

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(module)) return loaded;
    let source = Buffer.from(loaded.source ?? '').toString('utf8');
    for (const [from, to] of changes) {
      if (!source.includes(from))
        throw new Error(`${module} has no ${JSON.stringify(from)}: the mutant is out of date`);
      source = source.replaceAll(from, () => to);
    }
    process.stderr.write(`MUTANT of ${module}\n`);
    return { ...loaded, source };
  },
});
