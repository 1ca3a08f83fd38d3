// The effect of the roles: without a permission the function fails, but nothing is lost.
import assert from 'node:assert/strict';
import { until } from '../lib/run.mjs';

/** Removes an action from a function's role. Returns a function that restores it. */
async function withhold(stage, RoleName, action) {
  const before = await stage.policy(RoleName);
  const statements = before.Statement.map((statement) => ({ ...statement, Action: [statement.Action].flat().filter((own) => own !== action) }));
  const without = { ...before, Statement: statements.filter(({ Action }) => Action.length > 0) };
  assert.ok(JSON.stringify(before).includes(action) && !JSON.stringify(without).includes(action), `${RoleName} has ${action}`);
  const put = (document) => stage.aws.roles('PutRolePolicy', { RoleName, PolicyName: 'own', PolicyDocument: JSON.stringify(document) });
  await put(without);
  return () => put(before);
}

export default function permissions(check) {
  for (const action of ['s3:PutObject', 'dynamodb:PutItem']) {
    check(`score without ${action} counts nothing; its events end among the dead letters, and count once when they are moved back`, async ({ stage }) => {
      await stage.hurry('events');
      const userId = `denied-${action.split(':')[0]}`;
      const giveBack = await withhold(stage, await stage.role('score'), action);
      try {
        await stage.post('track', { userId, messageId: `${userId}-1`, event: 'Signed In' });
        await until('the event is a dead letter', async () => (await stage.depth('events-dlq')).waiting === 1);
        assert.equal(await stage.profile(userId), null, 'nothing is counted');
        await assert.rejects(stage.operate('status'), /ended with 1:[^]*events/, 'the status calls for attention');
      } finally {
        await giveBack();
      }
      assert.match(await stage.operate('redrive', 'events'), /^events: 1 /);
      await stage.profileOnce(userId, 'it is counted', (found) => found.counts['Signed In'] === 1);
      assert.deepEqual(await stage.depth('events-dlq'), { waiting: 0, taken: 0 });
    });
  }
}
