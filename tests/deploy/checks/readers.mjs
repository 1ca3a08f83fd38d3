// Readers who want out, by the link in a mail.
import assert from 'node:assert/strict';
import { FREE_MAIL, NEWS } from '../lib/config.mjs';
import { until } from '../lib/run.mjs';

const BEN = { userId: 'ben', email: `ben@${FREE_MAIL}` };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

export default function readers(check) {
  check('looking at the link changes nothing; one click stops the next mail', async ({ stage }) => {
    const { userId, email } = BEN;
    const mails = (count) => until(`${count} mails`, async () => (await stage.mailsTo(email)).length >= count);
    await stage.post('identify', { userId, messageId: 'ben-1', traits: { email } });
    await stage.post('track', { userId, messageId: 'ben-2', event: NEWS });
    await mails(1);
    const [{ BodyText: text }] = await stage.mailsTo(email);
    const link = text.match(/https:\/\/\S+\/u\/[\w.-]+/)?.[0];
    assert.ok(link?.startsWith(stage.outputs.ApiUrl), `the mail has a link to the api: ${text}`);

    assert.equal((await stage.emulator.fetch(stage.path(link))).status, 200);
    await stage.post('track', { userId, messageId: 'ben-3', event: NEWS });
    await mails(2);

    const clicked = await stage.emulator.fetch(stage.path(link), { method: 'POST', headers: FORM, body: 'List-Unsubscribe=One-Click' });
    assert.equal(clicked.status, 200);
    await stage.profileOnce(userId, 'the wish is an event', (found) => found.counts.Unsubscribed === 1);
    await stage.post('track', { userId, messageId: 'ben-4', event: NEWS });
    const profile = await stage.profileOnce(userId, 'the third news is withheld', (found) => found.messages.some(({ state }) => state === 'suppressed'));
    assert.equal(profile.messages.filter(({ state }) => state === 'suppressed').length, 1, JSON.stringify(profile.messages));
    assert.equal((await stage.mailsTo(email)).length, 2);
    const forged = link.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    assert.equal((await stage.emulator.fetch(stage.path(forged))).status, 404, 'a link that we did not sign');
  });
}
