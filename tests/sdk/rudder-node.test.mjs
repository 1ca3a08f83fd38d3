import { load } from './lib/paths.mjs';
import { serverSdk } from './lib/server-sdk.mjs';

const RudderAnalytics = load('@rudderstack/rudder-sdk-node');

for (const gzip of [true, false]) {
  serverSdk(`@rudderstack/rudder-sdk-node, ${gzip ? 'gzip as by default' : 'plain'}`, async ({ url, writeKey, calls }) => {
    const failures = new Set();
    const errorHandler = (error) => failures.add(String(error));
    const large = { flushAt: 100, maxQueueSize: 2_000_000 };
    const client = new RudderAnalytics(writeKey, { ...large, dataPlaneUrl: url, gzip, errorHandler, flushInterval: 200, logLevel: 'none' });
    const done = calls.map(
      ({ type, timestamp, ...call }) =>
        new Promise((resolve) => {
          client[type]({ ...call, originalTimestamp: new Date(timestamp) }, (failure) => {
            if (failure) failures.add(String(failure));
            resolve();
          });
        }),
    );
    await Promise.all(done);
    return [...failures];
  });
}
