// A customer's calls about one person, independent of any SDK, and the expected result.
import assert from 'node:assert/strict';

const HOUR = 3_600_000;
const EMAIL = 'zoe@example.com';
const NAME = 'Zoë Łukasiewicz-日本 🚀';
const COMPANY = 'Åkerlund & Söner „AB“';
const EXPORT = 'Report Exported – “Ünï” 🎉';

/**
 * The calls in the order they are sent. It is not the order of their timestamps: the identify with the plan
 * "free" is the oldest of three and comes last.
 */
export function story(now = Date.now()) {
  const at = (hoursAgo) => new Date(now - hoursAgo * HOUR).toISOString();
  const user = { userId: 'u-42' };
  return [
    { type: 'track', anonymousId: 'anon-42', event: 'Pricing Viewed', properties: { plan: 'team' }, timestamp: at(9) },
    { type: 'page', anonymousId: 'anon-42', name: 'Pricing', properties: { url: 'https://example.com/pricing' }, timestamp: at(8) },
    {
      type: 'identify',
      ...user,
      anonymousId: 'anon-42',
      traits: { email: EMAIL, name: NAME, plan: 'pro', seats: 12, beta: true, address: { city: 'Łódź' } },
      timestamp: at(7),
    },
    { type: 'group', ...user, groupId: 'acct-7', traits: { name: COMPANY, employees: 12, plan: 'enterprise' }, timestamp: at(6) },
    { type: 'track', ...user, event: 'Order Completed', properties: { orderId: 'o-1', revenue: 39.9, currency: 'EUR' }, timestamp: at(5) },
    { type: 'track', ...user, event: 'Order Completed', properties: { orderId: 'o-2', revenue: 0.1, currency: 'EUR' }, timestamp: at(4) },
    { type: 'track', ...user, event: 'Order Completed', properties: { orderId: 'o-3', nested: { a: [1, null, true] } }, timestamp: at(4) },
    { type: 'track', ...user, event: EXPORT, properties: { title: '\u2028 "\\ 𝒳' }, timestamp: at(3) },
    { type: 'screen', ...user, name: 'Home', properties: { tab: 'first' }, timestamp: at(2) },
    { type: 'track', anonymousId: 'anon-43', event: 'App Opened', properties: {}, timestamp: at(2) },
    { type: 'alias', ...user, previousId: 'anon-43', timestamp: at(2) },
    { type: 'identify', ...user, traits: { plan: 'team' }, timestamp: at(1) },
    { type: 'identify', ...user, traits: { plan: 'free' }, timestamp: at(10) },
  ];
}

/** `n` tracks of one person, each with its own name, so that a lost and a duplicated one cannot cancel out. */
export function countdown(userId, n) {
  const timestamp = new Date().toISOString();
  return Array.from({ length: n }, (_, i) => ({ type: 'track', userId, event: `Step ${i}`, properties: { i }, timestamp }));
}

/** Every `countdown` event was counted once. */
export async function expectCountdown(product, userId, n) {
  const { counts } = await product.profile(userId);
  const steps = Object.fromEntries(Object.entries(counts).filter(([name]) => name.startsWith('Step ')));
  assert.deepEqual(steps, Object.fromEntries(Array.from({ length: n }, (_, i) => [`Step ${i}`, 1])));
}

/** All strings anywhere inside `value`. */
export function strings(value) {
  if (typeof value === 'string') return [value];
  return value && typeof value === 'object' ? Object.values(value).flatMap(strings) : [];
}

/** Checks that the part of `actual` in `expected` equals it. */
export function has(actual, expected) {
  const part = Object.fromEntries(Object.keys(expected).map((key) => [key, actual?.[key]]));
  assert.deepEqual(part, expected);
}

/** The story arrived once: one person with all three identities, in one account, every event counted once. */
export async function expectStory(product, calls) {
  const status = await product.settled();
  has(status.events, { accepted: calls.length, rejected: 0 });
  has(status, { profiles: 1, accounts: 1 });

  const profile = await product.profile('u-42');
  has(profile.counts, { 'Pricing Viewed': 1, 'Order Completed': 3, [EXPORT]: 1, 'App Opened': 1 });
  has(profile.traits, { email: EMAIL, name: NAME, plan: 'team', seats: 12, beta: true });
  assert.ok(strings(profile.traits).includes('Łódź'), 'a trait that is itself an object is kept');
  for (const identity of ['u-42', 'anon-42', 'anon-43']) {
    assert.ok(strings(profile.identities).includes(identity), `${identity} is among ${JSON.stringify(profile.identities)}`);
  }
  for (const identity of ['anon-42', 'anon-43', EMAIL]) {
    const { id, counts } = await product.profile(identity);
    assert.deepEqual({ id, counts }, { id: profile.id, counts: profile.counts }, `${identity} leads to the same person`);
  }
  assert.ok(strings(profile.account).includes('acct-7'), `the person belongs to acct-7, not ${JSON.stringify(profile.account)}`);
  for (const part of ['stage', 'tallies', 'scores', 'messages']) assert.ok(part in profile, `the profile shows ${part}`);

  const account = await product.account('acct-7');
  assert.ok(strings(account).includes(COMPANY), `the account has its name: ${JSON.stringify(account)}`);
}
