// Writes docs/reference/openapi.json: the OpenAPI 3.1 document of the coordinator's routes. A test compares the file with
// what the routes say now. Usage: node scripts/generate-openapi.ts
import { writeFile } from 'node:fs/promises';
import { describeApi } from '../packages/coordinator/src/http/describe-api.ts';

const file = new URL('../docs/reference/openapi.json', import.meta.url);
await writeFile(file, await describeApi());
