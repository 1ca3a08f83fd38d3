// The path of an event: from a customer's SDK to the profile, the account, the archive, the mail and the inbox.
import assert from 'node:assert/strict';
import { logOf } from '../lib/diagnosis.mjs';
import { FUNCTIONS } from '../lib/packages.mjs';
import { until } from '../lib/run.mjs';

const ADA = { userId: 'ada', email: 'ada@customer.example', account: 'acme' };

/** Immediate and slow effects: two sets of checks, with time for others between them. */
export default {
  now(check) {
    check('an SDK sends a trial: the profile is there, and the api shows it to who has the key alone', async ({ stage }) => {
      const { userId, email, account } = ADA;
      await stage.send([
        { type: 'identify', userId, traits: { email, first_name: 'Ada' }, messageId: 'ada-1' },
        { type: 'group', userId, groupId: account, traits: { name: 'Acme', employees: 40 }, messageId: 'ada-2' },
        { type: 'track', userId, event: 'Trial Started', properties: { plan: 'team' }, messageId: 'ada-3' },
      ]);
      const profile = await stage.profileOnce(email, 'the trial is counted', (found) => found.counts['Trial Started'] === 1);
      assert.equal(profile.stage, 'trial');
      for (const key of [null, 'wrong']) assert.equal((await stage.ask(`/api/profiles/${userId}`, { key })).status, 401);
      assert.equal((await stage.ask('/api/profiles/nobody')).status, 404);
    });

    check('the welcome mail goes out once, and the message in the product beside it', async ({ stage }) => {
      const mails = await until('the welcome mail', async () => {
        const found = await stage.mailsTo(ADA.email);
        return found.length > 0 && found;
      });
      assert.equal(mails.length, 1);
      assert.match(mails[0].Subject, /^Welcome, Ada/);
      const inbox = await until('the message', async () => {
        const { messages } = await stage.get(`/api/inbox/${ADA.userId}`);
        return messages.length > 0 && messages;
      });
      assert.deepEqual(inbox.map(({ journey, title }) => [journey, title]), [['welcome', 'Start here']]);
    });

    check('the archive has every event, in the bucket', async ({ stage }) => {
      const text = await stage.archived();
      for (const id of ['ada-1', 'ada-2', 'ada-3']) assert.ok(text.includes(id), `${id} is among the archived: ${text}`);
    });

    check('a wrong event is a reject, and a wrong key is turned away', async ({ stage }) => {
      const batch = { batch: [{ type: 'track', userId: 'ada', messageId: 'no-name' }] };
      await stage.post('batch', batch);
      await until('the reject', async () => JSON.stringify(await stage.get('/api/rejects')).includes('no-name'));
      const path = stage.path(`${stage.outputs.IngestUrl}v1/track`);
      const headers = { authorization: `Basic ${btoa('wrong:')}` };
      assert.equal((await stage.emulator.fetch(path, { method: 'POST', headers, body: '{}' })).status, 401);
    });
  },
  later(check) {
    check('the account has its person', async ({ stage }) => {
      // A changed account waits a minute for more changes: `score` delays the message.
      const worked = async () => {
        const account = await stage.get(`/api/accounts/${ADA.account}`);
        return account?.people === 1 && account.traits.employees && account;
      };
      const account = await until('rollup has worked the account out', worked, { within: 90_000, every: 1000 });
      assert.deepEqual([account.traits, account.stages], [{ name: 'Acme', employees: 40 }, { trial: 1 }]);
    });

    check('no role lacked anything on the way', async ({ stage }) => {
      for (const name of FUNCTIONS) {
        const refused = (await logOf(stage, name)).filter((line) => /AccessDenied|not authorized/.test(line));
        assert.deepEqual(refused, [], `${name} was refused something`);
      }
    });
  },
};
