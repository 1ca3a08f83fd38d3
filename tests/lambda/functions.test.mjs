// Calls a function with every sample payload of events/ through `cargo lambda invoke`, against the embedded stack, and checks the responses and their effects.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Bench, FUNCTIONS, samples } from './bench.mjs';

const PERSON = 'noyublwapdlrhkp5d53shjss';
const UNREADABLE = '5b0c1d52-7d0a-4a6e-9f0e-000000000002';

const taken = (answer) => assert.deepEqual(answer, { batchItemFailures: [] });
/** An HTTP response of `status`, whose body satisfies `is`. */
const answered = (status, is = () => true) => (answer) => {
  assert.equal(answer.statusCode, status, JSON.stringify(answer));
  assert.ok(is(answer.body && JSON.parse(answer.body)), answer.body);
};
const accepted = (count, rejected = 0) => answered(200, (body) => body.accepted === count && body.rejected === rejected);
/** A page of `status` whose text contains `text`. */
const page = (status, text) => (answer) => {
  assert.equal(answer.statusCode, status, JSON.stringify(answer));
  assert.ok(answer.body.includes(text), answer.body);
};
const inbox = (body) => body.messages.some(({ id }) => id === 'aez7dzjd7bpmo3pfpskehhe5');

// The story of the samples, in order.
const STORY = {
  'score/events.json': taken,
  'score/tick.json': taken,
  'score/wake.json': taken,
  'score/enter.json': taken,
  'score/poison.json': (answer) => assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier: UNREADABLE }] }),
  'rollup/changed.json': taken,
  'rollup/event.json': taken,
  'deliver/messages.json': taken,
  'deliver/unsettled.json': taken,
  'deliver/account-update.json': taken,
  'deliver/person-update.json': taken,
  'deliver/mail-events.json': taken,
  'ingest/track.json': accepted(1),
  'ingest/identify.json': accepted(1),
  'ingest/batch.json': accepted(2, 1),
  'ingest/hook.json': accepted(1),
  'ingest/no-key.json': answered(401, ({ error }) => error.code === 'unknown_write_key'),
  'ingest/preflight.json': answered(204),
  'report/schedule.json': (answer) => assert.deepEqual([answer.more, answer.made.unreadable], [false, 0]),
  'report/now.json': (answer) => assert.deepEqual([answer.more, answer.made.unreadable], [false, 0]),
  'sweep/schedule.json': (answer) => assert.deepEqual([typeof answer.sent, answer.unsent, answer.more], ['number', 0, false]),
  'api/status.json': answered(200, ({ events }) => events.accepted > 0),
  'api/profile.json': answered(200, ({ id }) => id === PERSON),
  'api/account.json': answered(200, ({ id, people }) => id === 'customer-02' && people === 1),
  'api/rejects.json': answered(200, ({ rejects }) => rejects.length === 1),
  'api/inbox.json': answered(200, inbox),
  'api/inbox-click.json': answered(200, ({ ok }) => ok),
  'dashboard/people.json': page(403, 'Sign-in is not set up'),
  'dashboard/unmerge.json': page(403, 'Sign-in is not set up'),
  'dashboard/style.json': page(200, ':root'),
  'score/unmerge.json': taken,
  'import/test-event.json': taken,
  'import/created.json': taken,
  'import/several.json': taken,
};

describe('functions under cargo-lambda', { timeout: 180_000 }, () => {
  let bench;
  before(async () => {
    bench = await Bench.start();
    const customers = join(samples, 'import', 'customers.csv');
    for (const key of ['2026/June (1) – all.csv', 'more.csv']) await bench.put(`incoming/customers/${key}`, customers);
  });
  after(() => bench?.stop());

  for (const [sample, expect] of Object.entries(STORY)) {
    test(`${sample} is answered as on Lambda`, async () => expect(await bench.invoke(sample)));
  }

  test('no sample is left out', () => {
    const files = FUNCTIONS.flatMap((name) =>
      readdirSync(join(samples, name)).filter((file) => file.endsWith('.json')).map((file) => `${name}/${file}`),
    );
    assert.deepEqual(Object.keys(STORY).sort(), files.sort());
  });

  test('score has counted: the samples, and what queues led from ingest to it', async () => {
    const { id, stage, counts } = await bench.eventually(
      '/api/profiles/user-0042',
      ({ counts }) => counts['Feature Used'] && counts['Report Shared'],
    );
    assert.deepEqual([id, stage], [PERSON, 'trial']);
    for (const event of ['Signed Up', 'Trial Started', 'Signed In', 'Feature Used', 'Report Shared']) {
      assert.equal(counts[event], 1, event);
    }
  });

  test('a login at GitHub that is spelled as a user id here is nobody yet', async () => {
    const { id, counts, identities } = await bench.eventually('/api/profiles/github:user-0042', ({ counts }) => counts['Repository Starred']);
    assert.notEqual(id, PERSON);
    assert.deepEqual([counts['Repository Starred'], identities.map(({ kind }) => kind)], [1, ['external']]);
  });

  test('score has parted the browser from the person', async () => {
    const browser = await bench.get('/api/profiles/browser-7d1f');
    assert.notEqual(browser.id, PERSON);
    assert.equal(browser.counts['Trial Started'], undefined);
  });

  test('rollup has worked the account out', async () => {
    const { traits, stage, stages } = await bench.eventually('/api/accounts/customer-02', ({ stage, people }) => stage === 'trial' && people > 0);
    assert.deepEqual([traits.employees, stage, stages], [24, 'trial', { trial: 1 }]);
  });

  test('deliver has sent each message once, and taken in what became of the mail', async () => {
    const { messages } = await bench.eventually('/api/profiles/user-0042', ({ messages }) => messages.length >= 3);
    const states = Object.fromEntries(messages.map(({ channel, state }) => [channel, state]));
    assert.deepEqual(states, { mail: 'complained', in_app: 'clicked', webhook: 'sent' });
    const { mails } = await bench.get('/_local/mails');
    assert.equal(mails.length, 1);
    const { webhooks } = await bench.get('/_local/webhooks');
    assert.deepEqual([...new Set(webhooks.map(({ endpoint }) => endpoint))].sort(), ['crm', 'tasks']);
    assert.equal(new Set(webhooks.map(({ id }) => id)).size, webhooks.length);
  });

  test('ingest has set the event without a name aside', async () => {
    const { rejects } = await bench.get('/api/rejects');
    assert.deepEqual(rejects.map(({ code }) => code), ['missing']);
  });

  test('import has read the file that S3 announced, and its copy not once more', async () => {
    const { counts, traits } = await bench.eventually('/api/profiles/user-0077', ({ counts }) => counts.$group);
    assert.deepEqual([counts.$identify, counts.$group, traits.plan], [1, 1, 'team']);
    const { traits: account } = await bench.eventually('/api/accounts/customer-03', ({ people }) => people === 2);
    assert.equal(account.seats, 12);
  });

  test('no message was given up, and no function has logged an error', async () => {
    await bench.eventually('/_local/queues', (queues) => Object.values(queues).every(({ visible, in_flight }) => visible + in_flight === 0));
    for (const [name, child] of Object.entries(bench.functions)) {
      assert.equal(child.end, undefined, `${name} has ended: ${child.log}`);
      const errors = child.log.split('\n').filter((line) => line.includes('"level":"ERROR"'));
      // The record that cannot be read is an error, and the only one.
      assert.deepEqual(errors.filter((line) => !line.includes(UNREADABLE)), [], name);
    }
    assert.doesNotMatch(bench.stack.log, /ERROR/);
  });
});
