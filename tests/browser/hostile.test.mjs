// Names, ids and texts that somebody wrote to do harm, in every field; and forms that somebody else sends.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LOOKS, inOrder, open, picture, unfold } from './lib/look.mjs';
import { empty, json, send, settled } from './lib/stack.mjs';
import { launch } from './lib/tools.mjs';

const KEY = 'hostile-write-key-of-a-test';
const SCRIPT = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'><svg onload=alert(3)>';
const ENDLESS = 'Donaudampfschifffahrtsgesellschaftskapitän'.repeat(5);
const TURNED = '\u202egnp.eman\u202c \u2067\u0645\u0631\u062d\u0628\u0627\u2069';
const USER = 'u/1?<b>&"#%2F';
const ACCOUNT = 'acct/<i>&"#';

const at = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const call = (number, minutes, fields) => ({ messageId: `h-${number}`, timestamp: at(minutes), ...fields });

/** People with harm in every field, and one profile that two people's identities were merged into. */
const CALLS = [
  call(1, 60, {
    type: 'identify',
    userId: USER,
    anonymousId: 'visitor-1',
    traits: { name: SCRIPT, email: 'evil@example.com', company: ENDLESS, title: TURNED, [`<b>${'x'.repeat(40)}`]: SCRIPT, json: { a: SCRIPT } },
  }),
  call(2, 59, { type: 'group', userId: USER, groupId: ACCOUNT, traits: { name: SCRIPT, plan: ENDLESS, mrr: 100 } }),
  call(3, 58, { type: 'track', userId: USER, event: SCRIPT.slice(0, 60), properties: { text: SCRIPT } }),
  call(4, 57, { type: 'track', userId: USER, event: 'Trial Started' }),
  call(5, 56, { type: 'track', anonymousId: 'visitor-1', event: 'Pricing Page Viewed' }),
  call(6, 55, { type: 'identify', userId: 'u2', traits: { name: TURNED, email: 'turned@example.com' } }),
  call(7, 54, { type: 'identify', userId: 'u3', traits: { name: ENDLESS, email: `${'e'.repeat(60)}@example.com` } }),
  call(8, 53, { type: 'track', userId: 'u3', event: 'Survey Answered', properties: { score: 2, comment: SCRIPT } }),
  // Rejected, with what was sent.
  { messageId: 'h-9', type: 'track', userId: 'u3', event: { name: SCRIPT } },
];

describe('a dashboard with hostile data', { timeout: 30 * 60_000 }, () => {
  let stack;
  let browser;
  before(async () => {
    [stack, browser] = await Promise.all([empty(KEY), launch()]);
    await send(stack.url, KEY, CALLS);
  });
  after(() => Promise.all([stack?.stop(), browser?.close()]));

  /** Names are written with capitals where people write them. */
  const heading = async (page) => (await page.locator('h1').textContent()).toLowerCase();

  const person = `/people/${encodeURIComponent(USER)}`;
  const paths = () => [
    '/',
    '/people',
    `/people?search=${encodeURIComponent('<script>alert(1)</script>')}`,
    `/people?stage=${encodeURIComponent(SCRIPT)}`,
    '/people?cursor=%3Cscript%3E',
    person,
    `${person}/why-not?journey=trial_rescue`,
    `${person}/why-not?journey=${encodeURIComponent(SCRIPT)}`,
    '/people/u2',
    '/people/u3',
    `/people/${encodeURIComponent(SCRIPT)}`,
    '/accounts',
    `/accounts/${encodeURIComponent(ACCOUNT)}`,
    '/journeys',
    `/journeys/${encodeURIComponent(SCRIPT)}`,
    '/segments',
    '/experiments',
    '/reports',
    '/reports/activity',
    `/reports/${encodeURIComponent(SCRIPT)}`,
    '/operations',
    `/operations?done=resume&journey=${encodeURIComponent(SCRIPT)}`,
    '/nothing-here-but-ingest',
  ];

  for (const look of LOOKS) {
    test(`nothing runs, breaks or overflows at ${look.width} pixels, ${look.theme}`, async () => {
      const page = await open(browser, look);
      for (const path of paths().slice(0, -1)) {
        await page.goto(stack.url + path);
        await unfold(page);
        // A page that is not found is an error of the network, and not one of the page.
        page.wrong = page.wrong.filter((text) => !text.startsWith('Failed to load resource'));
        await inOrder(page, path, { axe: look.axe === true });
        assert.equal(await page.locator('main script, main img, main iframe, main [onload], main [onerror]').count(), 0, path);
      }
      await page.context().close();
    });
  }

  test('hostile names are shown as they are', async () => {
    const page = await open(browser);
    await page.goto(stack.url + person);
    assert.equal(await heading(page), SCRIPT.toLowerCase());
    await unfold(page);
    await picture(page, 'hostile-person');
    await page.goto(`${stack.url}/accounts/${encodeURIComponent(ACCOUNT)}`);
    assert.equal(await heading(page), SCRIPT.toLowerCase());
    await page.context().close();
  });

  test('every page works without script', async () => {
    const page = await open(browser, { script: false });
    await page.goto(`${stack.url}/people`);
    await page.getByLabel('Search', { exact: true }).fill('evil@example.com');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.locator('tbody a').first().click();
    assert.equal(await heading(page), SCRIPT.toLowerCase());
    await page.context().close();
  });

  test('a form of another site, or without a token, changes nothing', async () => {
    const body = new URLSearchParams({ identity: 'anonymous:visitor-1', by: 'eve', why: 'harm' });
    const post = (headers, fields = {}) =>
      fetch(`${stack.url}${person}/unmerge`, { method: 'POST', headers, body: new URLSearchParams({ ...Object.fromEntries(body), ...fields }) });
    const page = await (await fetch(stack.url + person)).text();
    const token = page.match(/name="token" value="([^"]+)"/)?.[1];
    assert.ok(token, 'the page has a token');
    const origin = { origin: stack.url };
    for (const [headers, fields] of [
      [origin, {}],
      [origin, { token: `${token}x` }],
      [origin, { token: '9999999999.AAAA' }],
      [{}, { token }],
      [{ origin: 'http://localhost:1' }, { token }],
      [{ ...origin, 'sec-fetch-site': 'cross-site' }, { token }],
    ]) {
      const answer = await post(headers, fields);
      assert.equal(answer.status, 403, JSON.stringify([headers, fields]));
    }
    const foreign = await post({ origin: 'https://evil.example' }, { token });
    assert.equal(foreign.status, 403);
    await settled(stack.url);
    const profile = await json(stack.url, `/api/profiles/${encodeURIComponent(USER)}`);
    assert.equal(profile.identities.length, 2, 'nothing was unmerged');
  });

  test('a colleague separates two people who share a profile', async () => {
    const page = await open(browser);
    await page.goto(stack.url + person);
    const row = page.locator('#links tr', { hasText: 'visitor-1' }).first();
    await row.getByText('Unmerge', { exact: true }).click();
    await row.getByLabel('Your name').fill('Mia <b>');
    await row.getByLabel('Reason').fill('a shared desk');
    await row.getByRole('button', { name: /^Unmerge/ }).click();
    await page.getByRole('status').getByText('Queued').waitFor();
    await settled(stack.url);
    const left = await json(stack.url, `/api/profiles/${encodeURIComponent(USER)}`);
    const right = await json(stack.url, '/api/profiles/visitor-1');
    assert.notEqual(left.id, right.id);
    assert.deepEqual(left.identities.map(({ id }) => id), [USER]);
    assert.equal(right.counts['Pricing Page Viewed'], 1, 'it left with what it did');
    await page.goto(stack.url + person);
    const links = await page.locator('#links').textContent();
    assert.match(links, /unmerged.*by Mia <b>: a shared desk/s);
    await inOrder(page, 'after the unmerge');
    await page.context().close();
  });
});
