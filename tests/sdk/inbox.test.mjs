// The in-app inbox on a product's page, in Chromium: `GET /inbox.js`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { SNIPPET, message, standIn } from './lib/inboxes.mjs';
import { paths, root } from './lib/paths.mjs';
import { Product } from './lib/product.mjs';

test('the script and its types hold under a strict compiler', () => {
  const tsc = join(paths.nodeModules, 'typescript', 'bin', 'tsc');
  const rules = ['--noEmit', '--strict', '--allowJs', '--checkJs', '--target', 'es2023', '--lib', 'es2023,dom,dom.iterable'];
  const files = [join(SNIPPET, 'inbox.js'), join(root, 'tests', 'sdk', 'inbox-types.ts')];
  execFileSync(process.execPath, [tsc, ...rules, ...files], { stdio: 'inherit' });
});

describe('inbox.js in Chromium', { timeout: 180_000 }, () => {
  let browser;
  let api;
  before(async () => ([browser, api] = await Promise.all([Browser.start(), standIn()])));
  after(() => Promise.all([browser?.stop(), api?.close()]));

  /** Opens a page of another origin that shows the inbox of `options`. */
  async function visit(options = {}, { url = api.url, ...context } = {}) {
    const page = await (await browser.chromium.newContext(context)).newPage();
    page.wrong = [];
    page.on('pageerror', (error) => page.wrong.push(String(error)));
    await page.goto(`${browser.origin}/shop`);
    await page.addScriptTag({ url: `${url}/inbox.js` });
    await page.evaluate(
      ([url, options]) => {
        if (options.tokens) options.token = () => (window.asked = (window.asked ?? 0) + 1, options.tokens.shift());
        if (options.chats) options.onChat = ({ id }) => (window.chat = id);
        window.shown = Perennial.inbox({ url, person: 'u/1', ...options });
        return window.shown.refresh();
      },
      [url, options],
    );
    return page;
  }

  /** Sets the stand-in's messages and clears its records. */
  const has = (...messages) => Object.assign(api.state, { messages, status: 200, token: undefined, deeds: [], looks: [] });
  const bell = (page) => page.getByRole('button', { name: /^Messages/ });
  const panel = (page) => page.getByRole('dialog', { name: 'Messages' });
  const titles = (page) => page.locator('li h3').allTextContents();

  /** Waits until the stand-in has received exactly these actions. */
  async function told(...deeds) {
    for (const end = Date.now() + 5_000; Date.now() < end && api.state.deeds.length < deeds.length; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(api.state.deeds.toSorted(), deeds.toSorted());
  }

  test('the bell counts what is unread, and what comes into sight in the open list is read', async () => {
    const many = Array.from({ length: 12 }, (_, n) => message(`m${n}`, { body: 'A line\nand another\nand a third' }));
    has(...many, message('old', { read_at: '2026-03-02T09:00:00Z' }));
    const page = await visit();
    await bell(page).and(page.getByLabel('Messages, 12 unread')).waitFor();
    assert.deepEqual(api.state.deeds, [], 'nobody has looked yet');
    await bell(page).click();
    await panel(page).waitFor();
    await page.waitForTimeout(300);
    const first = api.state.deeds.length;
    assert.ok(first >= 2 && first < 12, `${first} of 12 were in sight`);
    await page.getByText('Title old').scrollIntoViewIfNeeded();
    await page.locator('ul').evaluate(async (list) => {
      for (list.scrollTop = 0; list.scrollTop + list.clientHeight < list.scrollHeight - 1; list.scrollTop += 150) {
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    });
    await told(...many.map(({ id }) => `u/1 ${id} read`));
    assert.equal(await bell(page).getAttribute('aria-label'), 'Messages');
    assert.equal(await page.locator('.count').isVisible(), false);
    assert.deepEqual(page.wrong, []);
  });

  test('a link is followed and that is told; a dismissed message goes and stays gone', async () => {
    has(message('a'), message('b'), message('c'));
    const page = await visit();
    await bell(page).click();
    await told('u/1 a read', 'u/1 b read', 'u/1 c read');
    await page.getByRole('button', { name: 'Dismiss: Title b' }).click();
    assert.deepEqual(await titles(page), ['Title a', 'Title c']);
    await page.evaluate(() => window.shown.refresh());
    assert.deepEqual(await titles(page), ['Title a', 'Title c'], 'the api still had it');
    await page.getByRole('listitem').filter({ hasText: 'Title c' }).getByRole('link', { name: 'Open' }).click();
    await page.waitForURL('**/go/c');
    await told('u/1 a read', 'u/1 b read', 'u/1 c read', 'u/1 b dismiss', 'u/1 c click');
  });

  test('hostile text stays text, and no link leads anywhere but to the web', async () => {
    const hostile = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>';
    const links = ['javascript:window.owned=1', 'data:text/html,<script>1</script>', 'vbscript:1', ' JaVaScRiPt:1', 'file:///etc/passwd', 'http://['];
    has(
      ...links.map((link, n) => message(`m${n}`, { title: hostile, body: `${hostile} ${link}`, link })),
      message('fine', { link: 'https://shop.example/a?b=c' }),
      message('"><b>', { title: null, body: null, link: null, at: 'no date' }),
    );
    const page = await visit();
    await bell(page).click();
    await page.waitForTimeout(200);
    assert.equal((await titles(page))[0], hostile);
    assert.deepEqual(await page.locator('li a').evaluateAll((all) => all.map((a) => a.href)), ['https://shop.example/a?b=c']);
    assert.equal(await page.locator('li img, li script, li b').count(), 0);
    assert.equal(await page.evaluate(() => window.owned), undefined);
  });

  test('the keyboard alone is enough, and whoever hears the page is told', async () => {
    has(message('a'), message('b'));
    const page = await visit();
    await page.getByRole('status').filter({ hasText: '2 unread' }).waitFor({ state: 'attached' });
    assert.equal(await bell(page).getAttribute('aria-expanded'), 'false');
    const focused = () => page.evaluate(() => {
      const { activeElement } = document.activeElement?.shadowRoot ?? document;
      return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent;
    });
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Messages, 2 unread');
    await page.keyboard.press('Enter');
    assert.equal(await bell(page).getAttribute('aria-expanded'), 'true');
    assert.equal(await focused(), 'Messages', 'the list');
    const stops = [];
    for (let n = 0; n < 5; n += 1) {
      await page.keyboard.press('Tab');
      stops.push(await focused());
    }
    assert.deepEqual(stops, ['Close', 'Open', 'Dismiss: Title a', 'Open', 'Dismiss: Title b']);
    await page.keyboard.press('Enter');
    assert.deepEqual([await titles(page), await focused()], [['Title a'], 'Dismiss: Title a']);
    // A poll for new messages does not move the focus.
    api.state.messages = [message('new'), ...api.state.messages];
    await page.evaluate(() => window.shown.refresh());
    assert.deepEqual([await titles(page), await focused()], [['Title new', 'Title a'], 'Dismiss: Title a']);
    await page.keyboard.press('Escape');
    assert.equal(await panel(page).isVisible(), false);
    assert.match(await focused(), /^Messages/);
    await bell(page).click();
    await page.mouse.click(5, 400);
    assert.equal(await panel(page).isVisible(), false, 'a click beside it closes it');
  });

  test('an offer to talk opens the chat', async () => {
    has(message('talk', { kind: 'chat', link: null }));
    const page = await visit({ chats: true });
    await bell(page).click();
    await told('u/1 talk read');
    await page.getByRole('button', { name: 'Start a chat' }).click();
    assert.equal(await page.evaluate(() => window.chat), 'talk');
    await told('u/1 talk read', 'u/1 talk click');
  });

  test('a token that has run out is fetched anew, once', async () => {
    has(message('a'));
    api.state.token = 'fresh';
    const page = await visit({ tokens: ['stale', 'fresh', 'never'] });
    await bell(page).and(page.getByLabel('Messages, 1 unread')).waitFor();
    assert.equal(await page.evaluate(() => window.asked), 2);
    await bell(page).click();
    await told('u/1 a read fresh');
  });

  test('it looks again by itself, ever less often while nothing answers, and stops when taken away', async () => {
    has(message('a'));
    api.state.status = 503;
    const page = await (await browser.chromium.newContext()).newPage();
    await page.clock.install();
    await page.goto(`${browser.origin}/shop`);
    await page.addScriptTag({ url: `${api.url}/inbox.js` });
    // Polls have some jitter, so that not all pages poll at once.
    await page.evaluate(() => void (Math.random = () => 0.5));
    await page.evaluate((url) => void (window.shown = Perennial.inbox({ url, person: 'u/1' })), api.url);
    const looks = async (n) => {
      for (const end = Date.now() + 3_000; Date.now() < end && api.state.looks.length < n; ) await new Promise((r) => setTimeout(r, 20));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(api.state.looks.length, n);
    };
    await looks(1);
    await page.clock.runFor(100_000);
    await looks(1);
    await page.clock.runFor(40_000);
    await looks(2);
    await page.clock.runFor(200_000);
    await looks(2);
    api.state.status = 200;
    await page.clock.runFor(40_000);
    await looks(3);
    await page.getByLabel('Messages, 1 unread').waitFor();
    await page.clock.runFor(60_000);
    await looks(4);
    await page.evaluate(() => window.shown.destroy());
    await page.clock.runFor(600_000);
    await looks(4);
    assert.equal(await bell(page).count(), 0);
  });

  test('what the product sends arrives on the page, and what is done there on the profile', async () => {
    const product = await Product.start();
    try {
      const call = (path, body) =>
        fetch(`${product.url}/v1/${path}`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${product.writeKey}:`)}` },
          body: JSON.stringify({ userId: 'u/1', ...body }),
        });
      await call('identify', { messageId: 'i', traits: { email: 'ada@shop.example' } });
      await call('track', { messageId: 't', event: 'Trial Started' });
      await product.settled();
      const { messages } = await product.get('/api/inbox/u%2F1');
      assert.equal(messages.length, 1, 'who begins a trial has a message');

      const page = await visit({}, { url: product.url });
      await bell(page).and(page.getByLabel('Messages, 1 unread')).waitFor();
      await bell(page).click();
      assert.deepEqual(await titles(page), [messages[0].title]);
      await page.waitForTimeout(300);
      await page.getByRole('button', { name: /^Dismiss/ }).click();
      await page.getByText('No messages').waitFor();
      await page.waitForTimeout(300);
      await product.settled();
      const { counts } = await product.profile('u/1');
      assert.deepEqual([counts['In-App Message Read'], counts['In-App Message Dismissed']], [1, 1]);
      assert.deepEqual((await product.get('/api/inbox/u%2F1')).messages, []);
      assert.deepEqual(page.wrong, []);
    } finally {
      await product.stop();
    }
  });
});
