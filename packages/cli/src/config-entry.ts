// What `import { … } from "assay"` gives inside an assay.config.ts: the typed definition and nothing that starts anything.
export { type AssayConfig, defineConfig } from './config/schema.ts';
