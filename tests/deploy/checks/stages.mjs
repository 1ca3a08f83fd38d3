// Two stages in one account.
import assert from 'node:assert/strict';

export default function stages(check) {
  check('a second stage in the same account works, and neither sees anything of the other', async ({ stage, other }) => {
    await other.deploy();
    await other.begin();
    assert.deepEqual([other.outputs.TableName, stage.outputs.TableName], ['perennial-two', 'perennial']);
    await other.post('track', { userId: 'only-two', messageId: 'two-1', event: 'Signed In' });
    await other.profileOnce('only-two', 'it is counted', (found) => found.counts['Signed In'] === 1);
    assert.equal(await stage.profile('only-two'), null);
    assert.equal(await other.profile('ada'), null);
    assert.deepEqual((await other.get('/api/status')).events, { accepted: 1, rejected: 0, duplicates: 0 });
    assert.equal((await other.ask('/api/status', { key: stage.apiKey })).status, 401, 'the key of the first does not open the second');
  });
}
