// The end of a stage.
import assert from 'node:assert/strict';
import { inventory } from '../lib/inventory.mjs';

export default function deletion(check) {
  check('destroying both leaves the table, the archive and the keys of unsubscribe links, and nothing else', async ({ stage, other, empty }) => {
    for (const one of [stage, other]) await one.destroy();
    const left = (await inventory(stage.aws)).filter((resource) => !empty.includes(resource));
    const kept = [stage, other].flatMap(({ name, outputs }) => [`bucket ${outputs.ArchiveBucket}`, `secret ${name}/UNSUBSCRIBE_KEYS`, `table ${name}`]);
    assert.deepEqual(left, kept.sort());
  });
}
