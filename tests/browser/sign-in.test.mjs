// Signing in to the dashboard at an OpenID Connect provider: as each role, as nobody, and out again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../lib/free-port.mjs';
import { LOOKS, inOrder, open, picture, unfold } from './lib/look.mjs';
import { environment, provider, signIn } from './lib/provider.mjs';
import { empty, send } from './lib/stack.mjs';
import { launch } from './lib/tools.mjs';

const KEY = 'sign-in-write-key-of-a-test';
const at = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
/** A person with two identities, one of which can be unmerged. */
const CALLS = [
  { type: 'identify', messageId: 's-1', timestamp: at(9), userId: 'u-1', anonymousId: 'desk-1', traits: { name: 'Grace Hopper', email: 'grace@example.com' } },
  { type: 'track', messageId: 's-2', timestamp: at(8), userId: 'u-1', event: 'Trial Started' },
  { type: 'track', messageId: 's-3', timestamp: at(7), anonymousId: 'desk-1', event: 'Pricing Page Viewed' },
];

describe('sign-in to the dashboard', { timeout: 15 * 60_000 }, () => {
  let stack;
  let oidc;
  let browser;
  before(async () => {
    const port = await freePort();
    oidc = await provider(`http://127.0.0.1:${port}`);
    [stack, browser] = await Promise.all([empty(KEY, { port, env: environment(oidc.issuer) }), launch()]);
    await send(stack.url, KEY, CALLS);
  });
  after(() => Promise.all([stack?.stop(), oidc?.stop(), browser?.close()]));

  /** A page of a browser in which `name` has signed in, on the way to `path`. */
  async function as(name, path, look) {
    const page = await open(browser, look);
    await page.goto(stack.url + path);
    await signIn(page, name);
    return page;
  }
  const who = (page) => page.locator('.who');

  test('nothing is shown to who has not signed in', async () => {
    for (const path of ['/', '/people', '/people?format=csv', '/people/u-1', '/accounts', '/reports', '/operations', '/audit', '/people/u-1/nothing']) {
      const answer = await fetch(stack.url + path, { redirect: 'manual' });
      assert.equal(answer.status, 303, path);
      assert.match(answer.headers.get('location'), /^\/sign-in/, path);
      assert.equal(await answer.text(), '', path);
    }
    const forged = await fetch(`${stack.url}/people/u-1/unmerge`, { method: 'POST', body: 'token=x', redirect: 'manual' });
    assert.equal(forged.status, 403);
    assert.doesNotMatch(await forged.text(), /Hopper|<nav/);
    for (const cookie of ['perennial-session=x.y', 'perennial-session=', '__Host-perennial-session=e30.e30']) {
      const answer = await fetch(`${stack.url}/people`, { headers: { cookie }, redirect: 'manual' });
      assert.equal(answer.status, 303, cookie);
    }
  });

  test('a viewer returns to the page that was asked for, and sees no button', async () => {
    const page = await as('vera', '/people?search=grace&sort=highest');
    assert.equal(page.url(), `${stack.url}/people?search=grace&sort=highest`);
    assert.match(await who(page).textContent(), /Vera <i>.*viewer/);
    await page.goto(`${stack.url}/people/u-1`);
    assert.match(await page.locator('h1').textContent(), /Grace Hopper/);
    assert.equal(await page.locator('text=Unmerge').count(), 0);
    assert.equal(await page.locator('a[href="/audit"]').count(), 0);
    assert.equal((await page.goto(`${stack.url}/audit`)).status(), 403);
    // A form that the page does not have, with the visitor's own token.
    const token = await page.locator('input[name="token"]').first().getAttribute('value');
    const forged = await page.request.post(`${stack.url}/people/u-1/unmerge`, { form: { token, identity: 'anonymous:desk-1', why: 'forged' }, headers: { 'sec-fetch-site': 'same-origin' }, maxRedirects: 0 });
    assert.equal(forged.status(), 403);
    assert.match(await forged.text(), /Your role does not allow this/);
    const cookies = (await page.context().cookies(stack.url)).filter(({ name }) => name.startsWith('perennial'));
    assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [['perennial-session', true, 'Lax']]);
    await page.context().close();
  });

  test('an operator acts under the name that the provider says', async () => {
    const page = await as('oscar', '/people/u-1');
    assert.match(await who(page).textContent(), /operator/);
    const act = page.locator('details.act', { hasText: 'desk-1' });
    await act.locator('summary').click();
    await act.locator('input[name="why"]').fill('a shared desk');
    assert.equal(await act.locator('input[name="by"]').count(), 0);
    await Promise.all([page.waitForNavigation(), act.locator('button').click()]);
    assert.match(page.url(), /\?done=unmerge$/);
    await page.context().close();
  });

  test('an admin sees in the log who saw and did what, and no name of a customer', async () => {
    const page = await as('ada', '/audit');
    await unfold(page);
    const log = await page.locator('table').textContent();
    for (const expected of [/Vera <i>.*viewer.*read.*\/people\?search=hidden&sort=highest/, /Oscar <i>.*operator.*changed.*unmerge/, /2 identities → queued/]) {
      assert.match(log.replace(/\s+/g, ' '), expected);
    }
    assert.doesNotMatch(log, /Hopper|grace|desk-1/i);
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download CSV')]);
    assert.equal(file.suggestedFilename(), 'audit.csv');
    await page.context().close();
  });

  test('who has no role is told which groups were seen and which are needed', async () => {
    const page = await as('nobody', '/people');
    assert.match(page.url(), /\/sign-in\/callback\?/);
    const text = await page.locator('main').textContent();
    for (const expected of [/You have no access/, /guests/, /<b>visitors<\/b>/, /Operator.*ops/, /Viewer.*staff/]) assert.match(text, expected);
    assert.equal(await page.locator('nav').count(), 0);
    await page.goto(`${stack.url}/people`);
    assert.doesNotMatch(await page.content(), /Hopper/);
    await page.context().close();
  });

  test('sign-out ends the session, and the answer of a sign-in is good once', async () => {
    const page = await open(browser);
    let answer;
    page.on('request', (request) => {
      if (request.url().includes('/sign-in/callback?')) answer = request.url();
    });
    await page.goto(`${stack.url}/segments`);
    await signIn(page, 'vera');
    // The answer again: nothing comes of it, and the session stays.
    await page.goto(answer);
    assert.equal(page.url(), `${stack.url}/`);
    await page.goto(stack.url);
    await Promise.all([page.waitForNavigation(), who(page).locator('button').click()]);
    assert.equal(page.url(), `${stack.url}/signed-out`);
    assert.equal((await page.request.get(`${stack.url}/people`, { maxRedirects: 0 })).status(), 303);
    // The provider still knows the browser, but has to ask who it is.
    await Promise.all([page.waitForNavigation(), page.click('text=Sign in')]);
    await signIn(page, 'oscar');
    assert.match(await who(page).textContent(), /Oscar <i>/);
    await page.context().close();
  });

  for (const look of LOOKS) {
    test(`pages of signing in and the log are in order at ${look.width} pixels, ${look.theme}`, async () => {
      const shown = async (page, name) => {
        await picture(page, `${name}-${look.width}-${look.theme}`);
        await unfold(page);
        await inOrder(page, name, { axe: look.axe === true });
      };
      const page = await as('ada', '/audit', look);
      // Chromium reports the provider's own page, which is not ours.
      page.wrong.length = 0;
      await page.goto(`${stack.url}/audit`);
      await shown(page, 'audit');
      await page.goto(`${stack.url}/people/u-1`);
      await shown(page, 'signed-in');
      await page.goto(`${stack.url}/audit?day=2020-01-31`);
      await shown(page, 'audit-empty');
      await Promise.all([page.waitForNavigation(), who(page).locator('button').click()]);
      await shown(page, 'signed-out');
      await page.context().close();
      const nobody = await as('nobody', '/', look);
      nobody.wrong.length = 0;
      await shown(nobody, 'no-access');
      await nobody.goto(`${stack.url}/sign-in/callback?code=x&state=y`);
      nobody.wrong.length = 0;
      await shown(nobody, 'sign-in-lost');
      await nobody.context().close();
    });
  }
});

describe('a client that shows its secret in the form', { timeout: 5 * 60_000 }, () => {
  test('is tried once in the header and then signed in', async () => {
    const port = await freePort();
    const oidc = await provider(`http://127.0.0.1:${port}`, { auth: 'client_secret_post' });
    const [stack, browser] = await Promise.all([empty(KEY, { port, env: environment(oidc.issuer) }), launch()]);
    try {
      const page = await open(browser);
      await page.goto(`${stack.url}/operations`);
      await signIn(page, 'vera');
      assert.equal(page.url(), `${stack.url}/operations`);
    } finally {
      await Promise.all([stack.stop(), oidc.stop(), browser.close()]);
    }
  });
});
