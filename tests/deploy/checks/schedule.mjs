// The schedule: a timer that fires because EventBridge Scheduler calls `sweep`.
import assert from 'node:assert/strict';
import { FREE_MAIL, REMINDER } from '../lib/config.mjs';
import { logOf } from '../lib/diagnosis.mjs';
import { until } from '../lib/run.mjs';

const DORA = { userId: 'dora', email: `dora@${FREE_MAIL}` };

/** Two checks, with time for the others between them. */
export default {
  begin(check) {
    check('someone waits for a timer', async ({ stage }) => {
      const { userId, email } = DORA;
      await stage.post('identify', { userId, messageId: 'dora-1', traits: { email } });
      await stage.post('track', { userId, messageId: 'dora-2', event: REMINDER });
      await stage.profileOnce(userId, 'the event is counted', (found) => found.counts[REMINDER] === 1);
      assert.deepEqual(await stage.mailsTo(email), []);
    }, { essential: true });
  },
  end(check) {
    check('the schedule calls sweep, and the timer rings once', async ({ stage }) => {
      await until('the mail of the timer', async () => (await stage.mailsTo(DORA.email)).length > 0, { within: 150_000, every: 1000 });
      assert.equal((await stage.mailsTo(DORA.email)).length, 1);
      const ticks = (await logOf(stage, 'sweep')).map((line) => Number(line.match(/"TicksSent":(\d+)/)?.[1] ?? 0));
      assert.ok(ticks.includes(1), `sweep sent a tick: ${ticks}`);
    });
  },
};
