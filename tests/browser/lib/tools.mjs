// Paths of the tools that `tests/run browser` installs.
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const modules = join(process.env.PERENNIAL_TEST_TOOLS ?? join(target, 'test-tools'), 'browser', 'node_modules');

export const product = process.env.PERENNIAL_BIN ?? join(target, 'debug', 'perennial');
/** Where pictures of all pages go. */
export const pictures = join(target, 'browser');

if (!existsSync(modules)) throw new Error(`${modules} is missing: run these tests by \`tests/run browser\``);
const load = createRequire(join(modules, 'x.js'));
const { chromium } = load('playwright-core');
export const { AxeBuilder } = load('@axe-core/playwright');
// An ES module only.
export const { default: Provider } = await import(pathToFileURL(load.resolve('oidc-provider')).href);

/** Starts a headless Chromium. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
