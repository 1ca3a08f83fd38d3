// Sends calls with a customer's SDK: `{host, path, writeKey, calls}` from the standard input. A separate process, because Node reads additional certificate
// authorities (NODE_EXTRA_CA_CERTS) only when it starts.
import { text } from 'node:stream/consumers';
import { load } from './paths.mjs';

const { Analytics } = load('@segment/analytics-node');
const { host, path, writeKey, calls } = JSON.parse(await text(process.stdin));
const client = new Analytics({ host, path, writeKey, flushAt: 100, flushInterval: 100 });
client.on('error', ({ code, reason }) => {
  process.stderr.write(`${code}: ${reason}\n`);
  process.exitCode = 1;
});
for (const { type, ...call } of calls) client[type](call);
await client.closeAndFlush();
