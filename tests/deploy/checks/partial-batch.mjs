// A batch with a record that cannot be worked on: its neighbours must not suffer, and it must not be lost.
import assert from 'node:assert/strict';
import { until } from '../lib/run.mjs';

const POISON = '{"events.v1":{"events":[{"messageId":"","type":"track"';

/** The message that `ingest` sends to the events queue for one event. */
function queued(userId) {
  const now = new Date().toISOString();
  const event = { messageId: `${userId}-1`, type: 'track', userId, timestamp: now, originalTimestamp: now, receivedAt: now, source: 'web', event: 'Signed In' };
  return JSON.stringify({ 'events.v1': { events: [event] } });
}

export default function partialBatch(check) {
  check('of a batch with a poisoned record the others count once, and it alone comes again and ends among the dead letters', async ({ stage }) => {
    const QueueUrl = await stage.queueUrl('events');
    await stage.hurry('events');
    const people = ['poisoned-1', 'poisoned-2', 'poisoned-3', 'poisoned-4'];
    const bodies = [...people.slice(0, 2).map(queued), POISON, ...people.slice(2).map(queued)];
    await stage.aws.queues('SendMessageBatch', { QueueUrl, Entries: bodies.map((MessageBody, n) => ({ Id: `n${n}`, MessageBody })) });
    for (const person of people) await stage.profileOnce(person, 'it is counted', (found) => found.counts['Signed In'] === 1);

    await until('the poisoned record is a dead letter', async () => (await stage.depth('events-dlq')).waiting === 1);
    const [letter] = await stage.deadLetters('events');
    assert.equal(letter.Body, POISON);
    assert.deepEqual(await stage.depth('events'), { waiting: 0, taken: 0 });
    // If they had been retried with it, `score` would have counted them as duplicates.
    const { events } = await stage.get('/api/status');
    assert.equal(events.duplicates, 0, 'its neighbours did not come again');
    for (const person of people) assert.equal((await stage.profile(person)).counts['Signed In'], 1);
    await stage.aws.queues('PurgeQueue', { QueueUrl: await stage.queueUrl('events-dlq') });
  });
}
