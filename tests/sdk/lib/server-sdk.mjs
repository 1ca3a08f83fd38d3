// The contract that every server SDK is held to.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Product } from './product.mjs';
import { FAULTS, faultyProxy } from './proxy.mjs';
import { countdown, expectCountdown, expectStory, story } from './story.mjs';

/**
 * `send({ url, writeKey, calls })` makes the calls through the SDK, waits until the SDK has delivered them or given up,
 * and returns the failures that the SDK reported to its user, as strings.
 */
export function serverSdk(name, send) {
  describe(name, { timeout: 180_000 }, () => {
    let product;
    before(async () => (product = await Product.start()));
    after(() => product?.stop());
    const to = (url, calls, writeKey = product.writeKey) => send({ url, writeKey, calls });

    test('tells the story of one person, and all of it is known exactly once', async () => {
      const calls = story();
      assert.deepEqual(await to(product.url, calls), []);
      await expectStory(product, calls);
    });

    test('a wrong write key is reported by the SDK, and nothing is counted', async () => {
      const { events } = await product.settled();
      const reported = await to(product.url, countdown('u-stranger', 3), 'not-the-key');
      assert.notDeepEqual(reported, []);
      const after = await product.settled();
      assert.equal(after.events.accepted, events.accepted);
      assert.equal(await product.get('/api/profiles/u-stranger'), null);
    });

    test('the same message ids sent twice are counted once', async () => {
      const { events } = await product.settled();
      const calls = countdown('u-twice', 20).map((call, i) => ({ ...call, messageId: `twice-${i}` }));
      for (let round = 0; round < 2; round += 1) assert.deepEqual(await to(product.url, calls), []);
      const after = await product.settled();
      assert.equal(after.events.accepted, events.accepted + 20);
      await expectCountdown(product, 'u-twice', 20);
    });

    test('sixty events of 20 KB given at once arrive, however large the batches are that the SDK makes of them', async () => {
      const { events } = await product.settled();
      const calls = countdown('u-large', 60).map((call) => ({ ...call, properties: { text: 'large '.repeat(3_400) } }));
      assert.deepEqual(await to(product.url, calls), []);
      const after = await product.settled();
      assert.equal(after.events.accepted, events.accepted + 60);
      await expectCountdown(product, 'u-large', 60);
    });

    for (const [fault, how] of Object.entries(FAULTS)) {
      test(`after ${fault} that hides a success the SDK tries again: nothing lost, nothing counted twice`, async () => {
        const { events } = await product.settled();
        const proxy = await faultyProxy(product, [how, null, how]);
        try {
          const user = `u after ${fault}`;
          assert.deepEqual(await to(proxy.url, countdown(user, 20)), []);
          assert.ok(proxy.posts.length >= 2, 'the SDK tried again');
          assert.ok(proxy.posts.every(({ status }) => status >= 200 && status < 300), JSON.stringify(proxy.posts));
          const after = await product.settled();
          assert.equal(after.events.accepted, events.accepted + 20);
          await expectCountdown(product, user, 20);
        } finally {
          await proxy.close();
        }
      });
    }
  });
}
