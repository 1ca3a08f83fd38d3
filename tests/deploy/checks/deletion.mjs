// The end of a stage.
import assert from 'node:assert/strict';
import { inventory } from '../lib/inventory.mjs';

export default function deletion(check) {
  check('destroying leaves the tables, the archives and the keys of unsubscribe links, and nothing else', async ({ stage, other, empty }) => {
    const deployed = [stage, other].filter(({ outputs }) => outputs);
    for (const one of deployed) await one.destroy();
    const left = (await inventory(stage.aws)).filter((resource) => !empty.includes(resource));
    const kept = deployed.flatMap(({ name, outputs }) => [`bucket ${outputs.ArchiveBucket}`, `secret ${name}/UNSUBSCRIBE_KEYS`, `table ${name}`]);
    assert.deepEqual(left, kept.sort());
  });
}
