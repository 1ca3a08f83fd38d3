// Paths of the tools that `tests/run` installs.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const tools = process.env.PERENNIAL_TEST_TOOLS ?? join(root, 'target', 'test-tools');

export const paths = {
  product: process.env.PERENNIAL_BIN ?? join(root, 'target', 'debug', 'perennial'),
  python: join(tools, 'venv', 'bin', 'python'),
  nodeModules: join(tools, 'node', 'node_modules'),
  chromium: process.env.CHROMIUM ?? '/usr/bin/chromium',
  captures: join(root, 'tests', 'captures'),
};

if (!existsSync(paths.nodeModules)) throw new Error(`${paths.nodeModules} is missing: run these tests by \`tests/run sdk\``);

/** Loads an npm package that `tests/run` installed. */
export const load = createRequire(join(paths.nodeModules, 'x.js'));
