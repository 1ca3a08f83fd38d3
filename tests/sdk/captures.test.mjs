// Replays what real clients of ten kinds were seen to send, byte for byte: see ../captures/README.md.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { paths } from './lib/paths.mjs';
import { Product } from './lib/product.mjs';

// The headers that the clients' preflights may ask for, in any mixture.
const ALLOWED_HEADERS = [
  ...['authorization', 'x-retry-count', 'content-type', 'anonymousid', 'sentat', 'x-write-key'],
  ...['rsa-retry-reason', 'rsa-retry-attempt', 'rsa-since-first-attempt', 'rsa-since-last-attempt'],
];

// The keys that the captures were made with.
const WRITE_KEYS = { 'posthog-node': 'phc_TEST', 'posthog-python': 'phc_TEST', 'jitsu-js-node': 'WK:SECRET', 'jitsu-js-browser': 'WK:SECRET' };
const writeKeyOf = (client) => WRITE_KEYS[client] ?? 'WK_TEST_123';

/** JSON as Python's `json.dumps` writes it: a space after each comma and colon, and only ASCII. */
function pythonJson(value) {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (value && typeof value === 'object') {
    return `{${Object.entries(value).map(([key, inner]) => `${pythonJson(key)}: ${pythonJson(inner)}`).join(', ')}}`;
  }
  const escape = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return typeof value === 'string' ? JSON.stringify(value).replace(/[\u0080-\uffff]/g, escape) : JSON.stringify(value);
}

/** The bytes of a captured body; `body_bytes` proves that they are the client's own. */
function bytesOf({ body_raw_b64: raw, body_json: json, body_bytes: length }) {
  if (length === 0) return Buffer.alloc(0);
  const candidates = raw ? [Buffer.from(raw, 'base64')] : [Buffer.from(JSON.stringify(json)), Buffer.from(pythonJson(json))];
  const bytes = candidates.find((candidate) => candidate.length === length);
  assert.ok(bytes, `a body of ${length} bytes can be restored`);
  return bytes;
}

/** Sends a captured request with its own headers, in their order, and returns the response's status and headers. */
async function replay(product, { method, path, headers }, body) {
  const port = String(product.port);
  const hop = new Set(['host', 'connection', 'content-length', 'expect']);
  const own = headers.filter(([name]) => !hop.has(name.toLowerCase())).map(([name, value]) => [name, value.replaceAll('PORT', port)]);
  const raw = [['Host', `127.0.0.1:${port}`], ...own, ['Connection', 'close']];
  if (body.length > 0) raw.push(['Content-Length', String(body.length)]);
  const outgoing = request({ host: '127.0.0.1', port: product.port, method, path, headers: raw.flat() });
  outgoing.end(body);
  const [answer] = await once(outgoing, 'response');
  const text = Buffer.concat(await answer.toArray()).toString();
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** The events that a captured body carries. */
const eventsOf = ({ method, body_json: body }) => (method === 'POST' && body ? (body.batch ?? [body]) : []);
const idOf = (event) => event.messageId ?? event.uuid;
const userOf = (event) => event.userId ?? event.distinct_id;
/** PostHog's groupidentify without a person has the group's type and key as its id. */
const isOfAnAccountAlone = (event) => event.event === '$groupidentify' && event.distinct_id.startsWith('$');
// PostHog knows tracks only; its own begin with a dollar.
const isTrack = ({ type, event }) => (type ? type === 'track' : !event.startsWith('$'));

const clients = existsSync(paths.captures)
  ? readdirSync(paths.captures, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'webhooks')
      .map(({ name }) => {
        const dir = join(paths.captures, name);
        const scenarios = readdirSync(dir).map((file) => JSON.parse(readFileSync(join(dir, file), 'utf8')));
        // A redirect was followed to a path that is no product's.
        return { name, requests: scenarios.flatMap(({ requests }) => requests).filter(({ path }) => path !== '/other') };
      })
  : [];

describe('captured requests', { skip: clients.length === 0 && 'there is no tests/captures', timeout: 180_000 }, () => {
  for (const { name, requests } of clients) {
    describe(name, () => {
      let product;
      before(async () => (product = await Product.start({ writeKey: writeKeyOf(name) })));
      after(() => product?.stop());

      const all = requests.flatMap(eventsOf);
      // They contain an account but no person, so they count for nobody.
      const ofAccounts = all.filter(isOfAnAccountAlone);
      const ids = new Set(all.filter((event) => !isOfAnAccountAlone(event)).map(idOf));
      const replayAll = async () => {
        for (const captured of requests) {
          const answer = await replay(product, captured, bytesOf(captured));
          const what = `${captured.method} ${captured.path}: ${answer.status} ${answer.text.slice(0, 200)}`;
          assert.ok(answer.status >= 200 && answer.status < 300, what);
          expectReadable(captured, answer, what);
        }
      };

      test(`${requests.length} requests get a 2xx, and their ${ids.size} events are counted once`, async () => {
        await replayAll();
        const { events } = await product.settled();
        const rejects = await product.get('/api/rejects');
        // A journey of the shipped configuration may send a message; its delivery report is an event too.
        const { counts } = await product.profile('u-1');
        const sent = events.accepted - (counts['Email Delivered'] ?? 0);
        assert.equal(sent, ids.size, JSON.stringify({ events, rejects }).slice(0, 2_000));
        assert.equal(events.rejected, 0);
      });

      test('all of them once more change nothing', async () => {
        const before = await product.profile('u-1');
        const counted = (await product.settled()).events.accepted;
        await replayAll();
        const after = await product.settled();
        assert.equal(after.events.accepted, counted);
        assert.deepEqual((await product.profile('u-1')).counts, before.counts);
      });

      test('the person they speak of is known, with the events counted by name', async () => {
        const tracks = new Map(
          requests
            .flatMap(eventsOf)
            .filter((event) => isTrack(event) && userOf(event) === 'u-1')
            .map((event) => [idOf(event), event.event]),
        );
        const expected = {};
        for (const event of tracks.values()) expected[event] = (expected[event] ?? 0) + 1;
        const { counts, traits } = await product.profile('u-1');
        for (const [event, count] of Object.entries(expected)) assert.equal(counts[event], count, event);
        assert.equal(traits.email, 'ada@example.com');
        for (const { properties } of ofAccounts) {
          const account = await product.get(`/api/accounts/${properties.$group_key}`);
          assert.deepEqual(account.traits, properties.$group_set);
        }
      });
    });
  }

  test('a preflight may ask for every header that a client sends', async () => {
    const product = await Product.start();
    try {
      for (const path of ['/v1/batch', '/v1/b', '/v1/t', '/v1/track', '/api/s/track', '/sourceConfig/']) {
        const captured = {
          method: 'OPTIONS',
          path,
          headers: [
            ['Origin', 'http://shop.localhost:3000'],
            ['Access-Control-Request-Method', path === '/sourceConfig/' ? 'GET' : 'POST'],
            ['Access-Control-Request-Headers', ALLOWED_HEADERS.join(',')],
          ],
        };
        const answer = await replay(product, captured, Buffer.alloc(0));
        assert.ok(answer.status === 200 || answer.status === 204, `${path}: ${answer.status}`);
        expectReadable(captured, answer, path);
      }
    } finally {
      await product.stop();
    }
  });
});

/** The headers that a browser requires in a response before its page may send the request, or read the response. */
function expectReadable({ method, headers }, answer, what) {
  const sent = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  if (!sent.origin) return;
  const list = (name) => (answer.headers[name] ?? '').toLowerCase().split(',').map((item) => item.trim());
  // The capture's own port stands for whatever port the page came from.
  const origin = answer.headers['access-control-allow-origin'];
  assert.ok(origin === '*' || origin === sent.origin, `${what}: allows the origin ${origin}`);
  if (method !== 'OPTIONS') return assert.ok(list('access-control-expose-headers').includes('retry-after'), `${what}: exposes Retry-After`);
  const allowed = list('access-control-allow-headers');
  for (const header of (sent['access-control-request-headers'] ?? '').split(',').filter(Boolean)) {
    // "*" never covers Authorization.
    const covered = allowed.includes(header) || (allowed.includes('*') && header !== 'authorization');
    assert.ok(covered, `${what}: allows the header ${header}, not only ${allowed}`);
  }
  const asked = sent['access-control-request-method'].toLowerCase();
  const simple = asked === 'get' || asked === 'post';
  assert.ok(simple || list('access-control-allow-methods').includes(asked), `${what}: allows ${asked}`);
}
