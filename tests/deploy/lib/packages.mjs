// The functions' packages.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { paths } from './paths.mjs';
import { run } from './run.mjs';

export const FUNCTIONS = ['ingest', 'score', 'sweep', 'rollup', 'deliver', 'report', 'api', 'dashboard', 'import'];

/**
 * Returns a directory with `NAME/bootstrap.zip` of each function: that of `PERENNIAL_PACKAGES`, or `directory`, with the binaries that the other
 * tests were built with. A second release build takes longer than all these tests.
 */
export async function packages(directory) {
  if (paths.packages) return paths.packages;
  const binaries = FUNCTIONS.map((name) => join(paths.binaries, name));
  const missing = binaries.filter((binary) => !existsSync(binary));
  if (missing.length > 0) throw new Error(`${missing.join(', ')}: not built yet; \`tests/run deploy\` builds them`);
  const script = join(dirname(fileURLToPath(import.meta.url)), 'package.py');
  const zips = FUNCTIONS.map((name) => join(directory, name, 'bootstrap.zip'));
  await run(paths.python, [script, ...binaries.flatMap((binary, n) => [binary, zips[n]])]);
  return directory;
}
