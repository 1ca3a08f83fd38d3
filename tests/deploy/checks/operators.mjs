// Commands of operators on a stage by its name, with an operator's permissions.
import assert from 'node:assert/strict';
import { appendFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FREE_MAIL } from '../lib/config.mjs';

const EVE = { userId: 'eve', email: `eve@${FREE_MAIL}` };

export default function operators(check) {
  check('a config is pushed, seen in the status, and taken back', async ({ stage, emulator }) => {
    const inForce = async () => JSON.parse(await stage.operate('status', '--json')).in_force;
    const before = await inForce();
    const changed = join(emulator.directory, 'changed');
    await cp(stage.config, changed, { recursive: true });
    await appendFile(join(changed, 'limits.toml'), '\n# Another version of the same.\n');
    await stage.operate('config', 'push', changed);
    const pushed = await inForce();
    assert.deepEqual([pushed.previous, pushed.version === before.version], [before.version, false]);
    await stage.operate('config', 'rollback');
    assert.equal((await inForce()).version, before.version);
  });

  check('a person is told all that is known of them, and then erased: profile and archive', async ({ stage, emulator }) => {
    const { userId, email } = EVE;
    await stage.post('identify', { userId, messageId: 'eve-1', traits: { email } });
    await stage.post('track', { userId, messageId: 'eve-2', event: 'Signed In' });
    await stage.profileOnce(userId, 'she is counted', (found) => found.counts['Signed In'] === 1);

    const known = await stage.operate('export', email);
    for (const part of [userId, email, 'eve-1', 'eve-2']) assert.ok(known.includes(part), `the export has ${part}: ${known}`);

    const receipt = join(emulator.directory, 'receipt.json');
    await stage.operate('erase', userId, '--yes', '--receipt', receipt);
    const { removed, completed_at: completed } = JSON.parse(await readFile(receipt, 'utf8'));
    assert.deepEqual([removed.profiles, removed.archived_events, typeof completed], [1, 2, 'string']);
    for (const identity of [userId, email]) assert.equal(await stage.profile(identity), null);
    const archive = await stage.archived();
    assert.ok(!/"eve["@-]/.test(archive), 'nothing of her is archived any more');
    assert.ok(archive.includes('ada-3'), 'others are');
  });
}
