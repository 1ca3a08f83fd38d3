// Paths of the tools that `tests/run` installs, and of the product.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const tools = process.env.PERENNIAL_TEST_TOOLS ?? join(target, 'test-tools');

export const paths = {
  /** The directory of the tools that `tests/run` installs. */
  tools,
  /** The parent of the runs' work directories. */
  target,
  /** The CLI, for what operators do. */
  perennial: process.env.PERENNIAL_BIN ?? join(target, 'debug', 'perennial'),
  /** The functions' binaries. */
  binaries: join(target, 'debug'),
  /** The zips of `cargo lambda build`, to deploy these instead of the binaries. */
  packages: process.env.PERENNIAL_PACKAGES && resolve(root, process.env.PERENNIAL_PACKAGES),
  python: join(tools, 'venv', 'bin', 'python'),
  nodeModules: join(tools, 'deploy', 'node_modules'),
  app: join(root, 'infra', 'cdk'),
  cdk: join(root, 'infra', 'cdk', 'node_modules', '.bin', 'cdk'),
  config: join(root, 'infra', 'config'),
};

for (const path of [paths.nodeModules, paths.cdk]) {
  if (!existsSync(path)) throw new Error(`${path} is missing: run these tests by \`tests/run deploy\``);
}

/** Loads an npm package that `tests/run` installed. */
export const load = createRequire(join(paths.nodeModules, 'x.js'));
