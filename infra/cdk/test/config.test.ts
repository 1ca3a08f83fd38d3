import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { App } from 'aws-cdk-lib';
import { ConfigError, readConfig } from '../src/config/index.ts';
import { KEYS, readOptions } from '../src/options.ts';
import { config, configWith, HASH, read } from './support.ts';

function problems(edits: Record<string, (text: string) => string>): readonly string[] {
  try {
    readConfig(configWith(edits));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the config', () => {
  it('is as shipped where deployment.toml says nothing', () => {
    const nothing = readConfig(configWith({ 'deployment.toml': () => '' }));
    assert.deepEqual(nothing.deployment, config.deployment);
  });

  it('tells all that is wrong, with file and key', () => {
    const found = problems({
      'deployment.toml': () => `
        [queues]
        max_receives = 0
        retain = 1
        [logs]
        retention_days = 31
        [functions.ingest]
        memory_mb = 64
        timeout_seconds = 31
        [functions.ingest.batch]
        messages = 1
        [functions.score]
        memory_mb = 128.5
        [functions.score.batch]
        messages = 11
        window_seconds = 0
        at_once = 1
        [functions.other]
        memory_mb = 128`,
      'schedules.toml': () => '[[schedule]]\nid = "a"\nfunction = "score"\nexpression = "daily"\n[[schedule]]\nid = "a"\nfunction = "sweep"\nexpression = "rate(1 day)"',
    });
    assert.deepEqual(found, [
      'deployment.toml: queues.retain is not known here: max_receives, retention_days, dlq_retention_days are',
      'deployment.toml: functions.other is not known here: ingest, score, sweep, rollup, deliver, report, api, dashboard, import are',
      'deployment.toml: queues.max_receives must be a number from 1 to 1000',
      'deployment.toml: logs.retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365',
      'deployment.toml: functions.ingest.batch is not known here: memory_mb, timeout_seconds, concurrency are',
      'deployment.toml: functions.ingest.timeout_seconds must be a number from 1 to 30',
      'deployment.toml: functions.ingest.memory_mb must be a number from 128 to 10240',
      'deployment.toml: functions.score.memory_mb must be a whole number',
      'deployment.toml: functions.score.batch.at_once must be a number from 2 to 1000',
      'deployment.toml: functions.score.batch.messages above 10 need a window_seconds of 1 or more',
      'schedules.toml: schedule[0].function must be sweep or report',
      'schedules.toml: schedule[0].expression must be rate(…), cron(…) or at(…)',
      'schedules.toml: schedule[1].id stands twice',
    ]);
  });

  it('tells of a file that is no TOML, or not there', () => {
    const [first] = problems({ 'schedules.toml': () => '[[' });
    assert.match(first ?? '', /^schedules\.toml: Invalid TOML/);
    assert.throws(() => readConfig('/nowhere'), /deployment\.toml: ENOENT/);
  });

  it('reports a batching window in which a message would be redelivered', () => {
    assert.deepEqual(problems({ 'deployment.toml': () => '[functions.score]\ntimeout_seconds = 6\n[functions.score.batch]\nwindow_seconds = 30\n' }), [
      'deployment.toml: functions.score.batch.window_seconds must be below 5 times timeout_seconds',
    ]);
  });

  it('tells of a concurrency that its queues would go beyond', () => {
    const concurrency = (calls: number) => problems({ 'deployment.toml': () => `[functions.deliver]\nconcurrency = ${calls}\n[functions.deliver.batch]\nat_once = 3\n` });
    assert.deepEqual(concurrency(8), ['deployment.toml: functions.deliver.concurrency must be 9 or more: batch.at_once for each of 3 queues']);
    assert.deepEqual(concurrency(9), []);
  });

  it('takes no sender that is no address, and no secret that Lambda takes no variable for', () => {
    const found = problems({
      'channels.toml': (text) => text.replace(/from = ".*"/, 'from = "nobody"').replace('secret_env = "CRM_WEBHOOK_SECRET"', 'secret_env = "_CRM"'),
    });
    assert.deepEqual(found, [
      'channels.toml: mail.from must be an address, or `Name <address>`',
      'channels.toml: webhook.crm.secret_env must be letters, digits and _, and begin with a letter: Lambda takes no other variable',
    ]);
  });

  it('takes no wait for reports that is shorter than the attempts at one', () => {
    // Four times six minutes between five attempts, and a minute for the last.
    const wait = (minutes: number) => problems({ 'channels.toml': (text) => text.replace(/resend_unknown_after_minutes = \d+/, `resend_unknown_after_minutes = ${minutes}`) });
    assert.match(wait(25)[0] ?? '', /must be above 25, the minutes in which a failing report is tried to its end/);
    assert.deepEqual(wait(26), []);
    assert.deepEqual(wait(0), []);
  });

  it('reads a sender with and without a name', () => {
    const from = (text: string) => {
      const { fromAddress, domain } = readConfig(configWith({ 'channels.toml': (file) => file.replace(/from = ".*"/, `from = "${text}"`) })).mail;
      return [fromAddress, domain];
    };
    // The host in lower case, as `deliver` writes it.
    assert.deepEqual(from('Us@Example.com'), ['Us@example.com', 'example.com']);
    assert.deepEqual(from('Us, all <us@example.com>'), ['us@example.com', 'example.com']);
  });
});

describe('the command line', () => {
  const options = (context: Record<string, string>) => readOptions(new App({ context: { packages: 'placeholder', apiKeyHashes: HASH, ...context } }).node);

  it('reports what is missing or wrong', () => {
    for (const [context, told] of [
      [{ apiKeyHashes: '' }, /-c apiKeyHashes must be the SHA-256/],
      [{ apiKeyHashes: 'a key itself' }, /-c apiKeyHashes must be the SHA-256/],
      [{ stage: 'Live' }, /-c stage must be lower-case/],
      [{ architecture: 'riscv' }, /-c architecture must be arm64 or x86_64, not riscv/],
      [{ mailIdentity: 'yes' }, /-c mailIdentity must be existing or create, not yes/],
      [{ publicUrl: 'https://example.com/path' }, /-c publicUrl must be https:\/\/HOST without a path/],
    ] as const) {
      assert.throws(() => options(context), told);
    }
  });

  it('says how packages are built where there are none', () => {
    assert.throws(() => options({ packages: '/nowhere' }).packageOf('ingest'), /\/nowhere\/ingest\/bootstrap\.zip is not there: run `cargo lambda build/);
  });

  it('has a line in the README for each key that it may be given', () => {
    for (const key of KEYS) assert.ok(read('infra/cdk/README.md').includes(`\n| \`${key}\` |`), key);
  });

  it('takes several keys', () => {
    assert.deepEqual(options({ apiKeyHashes: `${HASH}, ${'1'.repeat(64)}` }).apiKeyHashes, [HASH, '1'.repeat(64)]);
  });
});
