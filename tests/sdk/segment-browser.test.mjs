import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Product } from './lib/product.mjs';
import { FAULTS, faultyProxy } from './lib/proxy.mjs';
import { expectCountdown, has, strings } from './lib/story.mjs';

const NAME = 'Mädchen „Ünï“ 漢字 👩‍💻';

/** The embedded stack's default secret of tokens. */
const TOKEN_SECRET = 'local-token-secret-for-trying-things-out';

/** The token that the product's server makes for `user`, as the README of `ingest` describes. */
function userToken(user, secret = TOKEN_SECRET) {
  const expires = Math.floor(Date.now() / 1000) + 3600;
  return `${expires}.${createHmac('sha256', secret).update(`perennial-user:${expires}:${user}`).digest('base64url')}`;
}

/** Tracks `n` steps in the page; the SDK's own results are ignored. */
const trackSteps = (page, n) =>
  page.evaluate(async (n) => {
    for (let i = 0; i < n; i += 1) window.analytics.track(`Step ${i}`, { i });
  }, n);

/** Waits until the product has accepted this many events. */
async function accepts(product, accepted) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const status = await product.settled();
    if (status.events.accepted >= accepted) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const status = await product.settled();
  assert.equal(status.events.accepted, accepted);
  return status;
}

describe('@segment/analytics-next in Chromium', { timeout: 240_000 }, () => {
  let product;
  let browser;
  before(async () => ([product, browser] = await Promise.all([Product.start(), Browser.start()])));
  after(() => Promise.all([product?.stop(), browser?.stop()]));
  const visit = (options) => browser.visit({ url: product.url, writeKey: product.publicKey, ...options });

  test('what a visitor did before signing up belongs to the user afterwards, and a signed user is believed', async () => {
    const page = await visit({ userToken: userToken('u-77') });
    const anonymousId = await page.evaluate(() => window.analytics.user().anonymousId());
    await page.evaluate(async () => {
      await window.analytics.page('Docs', 'Pricing');
      await window.analytics.track('Pricing Viewed', { plan: 'team' });
    });
    await accepts(product, 2);
    const visitor = await product.profile(anonymousId);
    has(visitor.counts, { 'Pricing Viewed': 1 });

    await page.evaluate(async (name) => {
      await window.analytics.identify('u-77', { email: 'maria@example.com', name, plan: 'pro', seats: 3, beta: false });
      await window.analytics.group('acct-8', { name: 'Süß & Co 株式会社', employees: 7 });
      await window.analytics.track('Order Completed', { revenue: 39.9, currency: 'EUR' });
      await window.analytics.track('Order Completed', { revenue: 0.1, currency: 'EUR' });
      await window.analytics.screen('Home');
      await window.analytics.alias('u-77', window.analytics.user().anonymousId());
    }, NAME);
    const status = await accepts(product, 8);
    has(status.events, { rejected: 0 });
    has(status, { profiles: 1 });
    if (status.accounts !== 1) {
      // If the CRM was notified of the mail domain's account before the `group` call came, that account is kept, without people.
      has(status, { accounts: 2 });
      has(await product.account('example.com'), { people: 0 });
    }

    const user = await product.profile('u-77');
    has(user.counts, { 'Pricing Viewed': 1, 'Order Completed': 2 });
    has(user.traits, { email: 'maria@example.com', name: NAME, plan: 'pro', seats: 3, beta: false });
    assert.equal((await product.profile(anonymousId)).id, user.id, 'the anonymous id leads to the user');
    assert.ok(strings(user.account).includes('acct-8'));
    assert.ok(strings(await product.account('acct-8')).includes('Süß & Co 株式会社'));
    assert.deepEqual(page.blocked, [], 'the browser blocked nothing');
  });

  for (const [how, token] of [
    ['without a token', null],
    ['with a token of somebody else', userToken('u-77')],
    ['with a token of another secret', userToken('u-78', 'another secret of at least 32 bytes')],
  ]) {
    test(`${how} the page is believed about what happened, and not about money, accounts or other people`, async () => {
      const { events } = await product.settled();
      const user = `u-78 ${how}`;
      const page = await visit({ userToken: token });
      const anonymousId = await page.evaluate(() => window.analytics.user().anonymousId());
      await page.evaluate(async ([user, account]) => {
        await window.analytics.track('Pricing Viewed', { plan: 'team' });
        await window.analytics.identify(user, { email: 'maria@example.com', plan: 'pro' });
        await window.analytics.group(account, { name: 'Not theirs' });
        await window.analytics.track('Order Completed', { revenue: 1e6, currency: 'EUR' });
        await window.analytics.alias(user, 'u-77');
      }, [user, `acct-of ${how}`]);
      const status = await accepts(product, events.accepted + 5);
      has(status.events, { rejected: 0 });
      const profile = await product.profile(user);
      has(profile.counts, { 'Pricing Viewed': 1, 'Order Completed': 1 });
      has(profile.traits, { email: 'maria@example.com', plan: 'pro' });
      assert.equal((await product.profile(anonymousId)).id, profile.id, 'who signed in where is believed');
      assert.notEqual(profile.id, (await product.profile('u-77')).id, 'neither the address nor the alias joins anybody');
      assert.equal((await product.profile('maria@example.com')).id, (await product.profile('u-77')).id);
      assert.deepEqual(profile.memberships, []);
      assert.equal(await product.get(`/api/accounts/${encodeURIComponent(`acct-of ${how}`)}`), null);
      assert.ok(!strings(profile.stage).includes('onboarding'));
      const unverified = profile.apart.filter(({ why }) => why === 'unverified').map(({ evidence }) => evidence);
      assert.deepEqual(unverified.sort(), ['alias', 'mail']);
      assert.ok(!JSON.stringify(profile).includes(token ?? 'no token'), 'a token is kept nowhere');
    });
  }

  test('a wrong write key counts nothing', async () => {
    const { events } = await product.settled();
    const page = await visit({ writeKey: 'not-the-key' }).catch((error) => error);
    if (!(page instanceof Error)) {
      await trackSteps(page, 3);
      await page.waitForTimeout(2_000);
    }
    assert.equal((await product.settled()).events.accepted, events.accepted);
  });

  test('a batch that is sent while the page is being left arrives', async () => {
    const { events } = await product.settled();
    const page = await visit({ segment: { deliveryStrategy: { strategy: 'batching', config: { size: 50, timeout: 60_000 } } } });
    await page.evaluate(() => window.analytics.identify('u-leaving'));
    await trackSteps(page, 5);
    await page.waitForTimeout(300);
    await page.goto('about:blank');
    await accepts(product, events.accepted + 6);
    await expectCountdown(product, 'u-leaving', 5);
  });

  test('the browser may read Retry-After, as it may every other answer', async () => {
    const proxy = await faultyProxy(product, [FAULTS['a 429 with Retry-After']]);
    const page = await visit({ url: proxy.url });
    const read = await page.evaluate(
      async ([url, writeKey]) => {
        const headers = { authorization: `Basic ${btoa(`${writeKey}:`)}`, 'content-type': 'text/plain' };
        const body = JSON.stringify({ type: 'track', event: 'Read', userId: 'u-77', messageId: 'read-1' });
        const answer = await fetch(`${url}/v1/t`, { method: 'POST', headers, body });
        return [answer.status, answer.headers.get('retry-after')];
      },
      [proxy.url, product.publicKey],
    );
    await proxy.close();
    assert.deepEqual(read, [429, '1']);
  });

  for (const [fault, how] of Object.entries(FAULTS)) {
    test(`after ${fault} that hides a success the SDK tries again: nothing lost, nothing counted twice`, async () => {
      const { events } = await product.settled();
      const proxy = await faultyProxy(product, [how, how, null, how]);
      try {
        const page = await visit({ url: proxy.url });
        const user = `u after ${fault}`;
        await page.evaluate((user) => window.analytics.identify(user), user);
        await trackSteps(page, 10);
        // The SDK does not report its final delivery, so the proxy reports when every event has passed without a fault.
        for (const end = Date.now() + 40_000; Date.now() < end && proxy.posts.filter((post) => !post.fault).length < 11; ) {
          await page.waitForTimeout(100);
        }
        assert.ok(proxy.posts.some((post) => post.fault));
        assert.ok(proxy.posts.every(({ status }) => status >= 200 && status < 300), JSON.stringify(proxy.posts));
        await accepts(product, events.accepted + 11);
        await expectCountdown(product, user, 10);
      } finally {
        await proxy.close();
      }
    });
  }
});
