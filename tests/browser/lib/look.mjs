// Opens a page and reports everything that is wrong with it.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder, pictures } from './tools.mjs';

/**
 * The widths and themes that every page is looked at in. axe, which takes most of the time, looks at each width and each
 * theme once: its rules depend on one of the two.
 */
export const LOOKS = [
  { width: 1440, theme: 'light', axe: true },
  { width: 1440, theme: 'dark' },
  { width: 390, theme: 'light' },
  { width: 390, theme: 'dark', axe: true },
];

/** Opens a context of this width and theme; `page.wrong` collects errors of the console and of scripts. */
export async function open(browser, { width = 1440, theme = 'light', script = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width > 800 ? 900 : 844 },
    colorScheme: theme,
    javaScriptEnabled: script,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.wrong = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.wrong.push(message.text());
  });
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  page.on('dialog', (dialog) => {
    page.wrong.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

/** Opens everything that can be opened, so that hidden parts are looked at as well. */
export const unfold = (page) =>
  page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));

/** Asserts that the page is in order: no violation of axe's rules (if `axe`), no error, no horizontal scroll. */
export async function inOrder(page, what, { axe = true } = {}) {
  const { violations } = !axe ? { violations: [] } : await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join('\n  ')}`);
  assert.deepEqual(told, [], `${what}: violations`);
  assert.deepEqual(page.wrong, [], `${what}: errors`);
  const [scroll, width] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(scroll <= width, `${what} is ${scroll} pixels wide in a window of ${width}`);
}

/** Takes a picture of the whole page into `target/browser`. */
export async function picture(page, name) {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}
