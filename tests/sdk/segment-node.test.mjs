import { load } from './lib/paths.mjs';
import { serverSdk } from './lib/server-sdk.mjs';

const { Analytics } = load('@segment/analytics-node');

serverSdk('@segment/analytics-node', async ({ url, writeKey, calls }) => {
  const client = new Analytics({ host: url, writeKey, flushAt: 100, flushInterval: 200 });
  const failures = [];
  client.on('error', ({ code, reason }) => failures.push(`${code}: ${reason}`));
  const done = calls.map(
    ({ type, timestamp, ...call }) =>
      new Promise((resolve) => {
        client[type]({ ...call, timestamp: new Date(timestamp) }, (failure) => {
          if (failure) failures.push(String(failure));
          resolve();
        });
      }),
  );
  await Promise.all(done);
  await client.closeAndFlush();
  return failures;
});
