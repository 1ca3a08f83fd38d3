// Calls that were acknowledged to an SDK survive the product's sudden death; the SDK sends the others again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from './lib/paths.mjs';
import { Product } from './lib/product.mjs';
import { countdown, expectCountdown } from './lib/story.mjs';

const { Analytics } = load('@segment/analytics-node');
const EVENTS = 200;
const CRASHES = 5;

describe('the product is killed while an SDK sends', { timeout: 180_000 }, () => {
  let product;
  before(async () => (product = await Product.start()));
  after(() => product?.stop());

  test(`after ${CRASHES} crashes all ${EVENTS} events are counted, each once`, async () => {
    const client = new Analytics({ host: product.url, writeKey: product.writeKey, flushAt: 5, flushInterval: 50, maxRetries: 30 });
    const failures = [];
    const delivered = countdown('u-crash', EVENTS).map(
      ({ type, timestamp, ...call }, i) =>
        new Promise((resolve) => {
          setTimeout(() => {
            client[type]({ ...call, timestamp: new Date(timestamp) }, (failure) => {
              if (failure) failures.push(String(failure));
              resolve();
            });
          }, i * 15);
        }),
    );
    for (let crash = 0; crash < CRASHES; crash += 1) {
      await sleep(200 + Math.random() * 400);
      await product.crash();
    }
    await Promise.all(delivered);
    await client.closeAndFlush();
    assert.deepEqual(failures, []);
    const { events } = await product.settled();
    assert.equal(events.accepted, EVENTS);
    await expectCountdown(product, 'u-crash', EVENTS);
  });
});
