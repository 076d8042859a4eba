// One run over four projects with four runners. `declared.accelerator` is a label that the demo's workers declare: a virtual
// capability, said to be one, since no probe measured it.
import { defineConfig } from 'assay';

export default defineConfig({
  project: 'assay-examples',
  suites: [
    { name: 'storefront', runner: 'vitest', directory: 'storefront' },
    { name: 'tokenizer', runner: 'node:test', directory: 'tokenizer' },
    { name: 'signals', runner: 'pytest', directory: 'signals', requires: "declared.accelerator == 'virtual-gpu'" },
    { name: 'legacy', runner: 'command', directory: 'legacy', command: ['sh', 'check.sh'], junit: 'report.xml' },
  ],
});
