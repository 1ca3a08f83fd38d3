// A file in the bucket: S3 announces it, `import` reads it, and `score` counts its rows.
import assert from 'node:assert/strict';
import { until } from '../lib/run.mjs';

const ROWS = 'id,email\nfile-1,file-1@freemail.example\nfile-2,file-2@freemail.example\nonly one column\n';

export default function files(check) {
  check('a file that is put into the bucket is imported once, and its bad row is a reject', async ({ stage }) => {
    const Bucket = stage.outputs.ArchiveBucket;
    const put = (Key) => stage.aws.objects('PutObject', { Bucket, Key, Body: ROWS });
    await put('incoming/customers/2026/all of June.csv');
    const imported = (profile) => profile.counts['Signed In'] === 1 && profile.traits.email;
    for (const id of ['file-1', 'file-2']) await stage.profileOnce(id, 'its row is counted', imported);
    const rejects = async () => JSON.stringify(await stage.get('/api/rejects'));
    await until('the bad row is a reject', async () => (await rejects()).includes('incoming/customers/2026/all of June.csv, line 4'));

    const { events: before } = await stage.get('/api/status');
    await put('incoming/customers/2026/the same again.csv');
    await put('incoming/nobody/a.csv');
    await until('the folder without an import is a reject', async () => (await rejects()).includes('no import of imports.toml'));
    await until('both notices are taken', async () => {
      const { waiting, taken } = await stage.depth('incoming');
      return waiting + taken === 0;
    });
    const { events: after } = await stage.get('/api/status');
    assert.equal(after.accepted, before.accepted, 'the same content is not sent again');
    assert.deepEqual(await stage.depth('incoming-dlq'), { waiting: 0, taken: 0 });
  });
}
