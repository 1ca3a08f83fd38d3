// Perennial in an AWS: deployed by CDK, used over its function URLs, deleted.
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import dashboards from './checks/dashboard.mjs';
import deletion from './checks/deletion.mjs';
import feedback from './checks/feedback.mjs';
import files from './checks/files.mjs';
import operators from './checks/operators.mjs';
import partialBatch from './checks/partial-batch.mjs';
import permissions from './checks/permissions.mjs';
import readers from './checks/readers.mjs';
import schedule from './checks/schedule.mjs';
import stages from './checks/stages.mjs';
import story from './checks/story.mjs';
import { services } from './lib/aws.mjs';
import { MAIL_DOMAIN, writeConfig } from './lib/config.mjs';
import { diagnosis } from './lib/diagnosis.mjs';
import { ACCOUNT, Emulator, REGION } from './lib/emulator.mjs';
import { inventory } from './lib/inventory.mjs';
import { packages } from './lib/packages.mjs';
import { CLIENT, Provider } from './lib/provider.mjs';
import { Stage } from './lib/stage.mjs';

// `node --test` runs this file in a separate process, which would continue if that one were killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 1000).unref();

describe('deployed by CDK into an AWS that enforces IAM and TLS', { timeout: 540_000 }, () => {
  /** The state that checks share: `emulator`, `stage`, `other` (a second one), `provider` (where colleagues of the first sign in), `empty` (the account's resources without either). */
  const world = {};

  before(async () => {
    world.emulator = await Emulator.start();
    const at = (...parts) => join(world.emulator.directory, ...parts);
    const zips = await packages(at('packages'));
    await writeConfig(at('config'));
    // In a directory without an app: with one, the CLI requires all options of a deployment.
    await world.emulator.cdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`], { cwd: world.emulator.directory });
    // The README's other prerequisite. Here all identities are verified.
    await services(world.emulator).mails('CreateEmailIdentity', { EmailIdentity: MAIL_DOMAIN });
    world.empty = await inventory(services(world.emulator));
    world.provider = await Provider.start();
    const context = { oidcIssuer: world.provider.issuer, oidcClientId: CLIENT, oidcViewers: 'staff', oidcOperators: 'ops' };
    world.stage = new Stage(world.emulator, { config: at('config'), packages: zips, context });
    world.other = new Stage(world.emulator, { config: at('config'), packages: zips, stage: 'two' });
    await world.stage.deploy();
    await world.stage.begin();
  });
  after(() => {
    world.provider?.stop();
    return world.emulator?.stop();
  });

  let broken;
  /** Adds a check. After a failed one that is essential to the others, these are skipped. */
  const check = (name, run, { essential = false } = {}) =>
    test(name, async (t) => {
      if (broken) return t.skip(`"${broken}" failed`);
      try {
        await run(world);
      } catch (error) {
        if (essential) broken = name;
        error.stack = `${error.stack}\n\n${await diagnosis(world.stage)}`;
        throw error;
      }
    });
  for (const checks of [schedule.begin, story.now, readers, feedback, files, partialBatch, stages, dashboards.dashboard, dashboards.refused, operators, story.later, schedule.end, permissions, deletion]) checks(check);
});
