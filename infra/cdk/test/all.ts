/** All tests in one process: loading the library takes longer than most of them. */

import { readdirSync } from 'node:fs';

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.test.ts'));
for (const file of files.sort()) await import(`./${file}`);
