/**
 * Writes what the Terraform module is compared with: `node --import tsx test/terraform-cases.ts DIRECTORY` makes a directory for each case there, with
 * `template.json` as `cdk synth` has it, `config/`, and `variables.json`, the module's variables that say the same as CDK's context. Together the
 * cases use every option, and every value of the config that reaches a template.
 */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { addStage } from '../src/app.ts';

/** A text of the config, and what stands there instead. */
type Edit = readonly [from: string | RegExp, to: string];

interface Case {
  readonly context: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Edits of the shipped configuration, by file. */
  readonly edits?: Readonly<Record<string, readonly Edit[]>>;
}

const HERE = import.meta.dirname;
const SHIPPED = resolve(HERE, '../../config');
const EVERYTHING = /[^]*/;
const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1';
const LAYER = 'arn:aws:lambda:eu-central-1:187925254637:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:4';

const CASES: Readonly<Record<string, Case>> = {
  // As shipped, without optional settings.
  shipped: { context: {}, variables: {} },
  // All options that add resources.
  options: {
    context: {
      stage: 'test',
      mailIdentity: 'create',
      alarmMail: 'ops@example.com',
      publicUrl: 'https://hello.example',
      oidcIssuer: 'https://login.example',
      oidcClientId: 'us',
      oidcViewers: 'staff,mail:ada@acme.example',
    },
    variables: {
      stage: 'test',
      create_mail_identity: true,
      alarm_mail: 'ops@example.com',
      public_url: 'https://hello.example',
      sign_in: { issuer: 'https://login.example', client_id: 'us', viewers: ['staff', 'mail:ada@acme.example'] },
    },
  },
  // Another value for everything.
  edited: {
    context: {
      stage: 'dev',
      architecture: 'arm64',
      secretsKeyArn: KEY,
      oidcIssuer: 'https://sso.acme.example/realms/acme',
      oidcClientId: 'us',
      oidcClient: 'public',
      oidcScopes: 'openid groups',
      oidcGroupsClaim: 'realm_access.roles',
      oidcOperators: 'ops',
      oidcAdmins: 'boss',
      sessionHours: '4',
      dashboardUrl: 'https://crm.acme.example',
      auditDays: '90',
    },
    variables: {
      stage: 'dev',
      architecture: 'arm64',
      secrets_key_arn: KEY,
      secrets_extension_arn: LAYER,
      sign_in: {
        issuer: 'https://sso.acme.example/realms/acme',
        client_id: 'us',
        public_client: true,
        scopes: 'openid groups',
        groups_claim: 'realm_access.roles',
        operators: ['ops'],
        admins: ['boss'],
        session_hours: 4,
        url: 'https://crm.acme.example',
      },
      audit_days: 90,
    },
    edits: {
      'deployment.toml': [
        [
          EVERYTHING,
          `[queues]
max_receives = 3
retention_days = 7
dlq_retention_days = 10
[logs]
retention_days = 90
[functions]
ingest = { memory_mb = 1024, timeout_seconds = 20, concurrency = 50 }
score = { memory_mb = 2048, timeout_seconds = 30, concurrency = 40, batch = { messages = 50, window_seconds = 2, at_once = 20 } }
sweep = { memory_mb = 384, timeout_seconds = 120, concurrency = 1 }
rollup = { memory_mb = 768, timeout_seconds = 90, batch = { messages = 200, window_seconds = 5, at_once = 4 } }
deliver = { memory_mb = 640, timeout_seconds = 45, batch = { messages = 5, window_seconds = 0, at_once = 6 } }
api = { memory_mb = 896, timeout_seconds = 25 }
dashboard = { memory_mb = 320, timeout_seconds = 28, concurrency = 5 }
import = { memory_mb = 1024, timeout_seconds = 600, batch = { messages = 2, window_seconds = 0, at_once = 3 } }
`,
        ],
      ],
      'schedules.toml': [
        [
          EVERYTHING,
          [
            ['often', 'rate(1 minute)'],
            ['hourly', 'rate(2 hours)'],
            ['daily', 'rate(1 day)'],
            ['nightly', 'cron(0 6 * * ? *)"\ntime_zone = "Europe/Berlin'],
            ['once', 'at(2027-01-31T06:00:00)'],
          ]
            .map(([id, expression]) => `[[schedule]]\nid = "${id}"\nfunction = "sweep"\nexpression = "${expression}"\n`)
            .join(''),
        ],
      ],
      'channels.toml': [
        ['from = "Perennial <hello@perennial.example>"', 'from = "Post@Mail.Perennial.Example"'],
        ['configuration_set = "perennial"', 'configuration_set = "mails"'],
        ['resend_unknown_after_minutes = 60', 'resend_unknown_after_minutes = 0'],
        ['complaint_percent = 0.1', 'complaint_percent = 0.3'],
        ['bounce_percent = 5', 'bounce_percent = 2.5'],
        ['secret_env = "CRM_WEBHOOK_SECRET"', 'secret = "perennial/crm"'],
        ['secret_env = "TASKS_WEBHOOK_SECRET"', 'secret = "/perennial/tasks"'],
      ],
    },
  },
  // Everything optional in the configuration is left out.
  bare: {
    context: { stage: 'bare', apiKeyHashes: `${'0'.repeat(64)},${'1'.repeat(64)}` },
    variables: { stage: 'bare', api_key_hashes: ['0'.repeat(64), '1'.repeat(64)] },
    edits: {
      'deployment.toml': [[EVERYTHING, '']],
      'schedules.toml': [[EVERYTHING, '']],
      'channels.toml': [
        ['resend_unknown_after_minutes = 60\n', ''],
        [/\[pause\]\n(\w+ = .*\n)+/, ''],
      ],
    },
  },
};

function write(directory: string, { context, variables, edits }: Case): void {
  const config = join(directory, 'config');
  mkdirSync(directory, { recursive: true });
  cpSync(SHIPPED, config, { recursive: true });
  for (const [name, changes] of Object.entries(edits ?? {})) {
    const path = join(config, name);
    const text = changes.reduce((text, [from, to]) => {
      const edited = text.replace(from, () => to);
      if (edited === text) throw new Error(`${name}: there is no ${from} to edit`);
      return edited;
    }, readFileSync(path, 'utf8'));
    writeFileSync(path, text);
  }
  const usual = { packages: 'placeholder', apiKeyHashes: '0'.repeat(64), architecture: 'x86_64', config };
  const { context: flags } = JSON.parse(readFileSync(join(HERE, '../cdk.json'), 'utf8')) as { context: object };
  const app = new App({ context: { ...flags, ...usual, ...context }, outdir: join(directory, 'cdk.out') });
  const stack = addStage(app);
  const template: unknown = app.synth().getStackArtifact(stack.artifactId).template;
  writeFileSync(join(directory, 'template.json'), JSON.stringify(template, undefined, 1));
  const given = { packages: 'target/lambda', api_key_hashes: ['0'.repeat(64)], config_directory: config, ...variables };
  writeFileSync(join(directory, 'variables.json'), JSON.stringify(given, undefined, 1));
}

const [, , out] = process.argv;
if (out === undefined) throw new Error('usage: terraform-cases.ts DIRECTORY');
rmSync(out, { recursive: true, force: true });
for (const [name, described] of Object.entries(CASES)) write(join(resolve(out), name), described);
