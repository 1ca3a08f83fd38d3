import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableActions } from './store-calls.ts';
import { config, configWith, Rendered, shipped } from './support.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}

/** The permissions of a role: a line for each action and resource. */
function allowed(rendered: Rendered, role: string): string[] {
  return statements(rendered, role)
    .flatMap(({ Effect, Action, Resource }) => {
      assert.equal(Effect, 'Allow');
      return [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}`));
    })
    .sort();
}

function statements(rendered: Rendered, role: string): Statement[] {
  const { Policies, ManagedPolicyArns } = rendered.one('AWS::IAM::Role', 'Description', role).Properties;
  assert.equal(ManagedPolicyArns, undefined, 'no policy of AWS, which would allow more');
  return Policies.flatMap((policy: { PolicyDocument: { Statement: Statement[] } }) => policy.PolicyDocument.Statement);
}

function queue(name: string): string {
  return `<Queue perennial-${name}>`;
}

function each(actions: string, ...resources: string[]): string[] {
  return actions.split(' ').flatMap((action) => resources.map((resource) => `${action} ${resource}`));
}

const ARN = 'arn:<Partition>:SERVICE:<Region>:<AccountId>:';
const ses = (rest: string) => ARN.replace('SERVICE', 'ses') + rest;
const TABLE = '<Table perennial>';
const TAKEN = 'sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes';
const DEPTHS = ['events', 'incoming', 'imports', 'messages', 'essential', 'accounts', 'mail-events'].flatMap((name) => [queue(name), queue(`${name}-dlq`)]);
const { fromAddress, domain, configurationSet } = config.mail;

/** Everything that every function may do, but log. */
const MAY: Readonly<Record<string, string[]>> = {
  ingest: [
    ...each('dynamodb:GetItem dynamodb:BatchWriteItem', TABLE),
    ...each('sqs:SendMessage sqs:GetQueueAttributes', queue('events')),
  ],
  score: [
    ...each('dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query', TABLE),
    ...each('dynamodb:PutItem dynamodb:UpdateItem dynamodb:BatchWriteItem', TABLE),
    ...each(TAKEN, queue('events'), queue('imports')),
    ...each('sqs:SendMessage', queue('events'), queue('messages'), queue('essential'), queue('accounts')),
    ...each('s3:PutObject', '<Bucket>/archive/*'),
  ],
  sweep: [
    ...each('dynamodb:GetItem dynamodb:PutItem dynamodb:Scan', TABLE),
    ...each('dynamodb:Query', `${TABLE}/index/due`),
    ...each('sqs:SendMessage', queue('events'), queue('accounts'), queue('schedules-dlq')),
  ],
  rollup: [
    ...each('dynamodb:GetItem dynamodb:Query dynamodb:PutItem dynamodb:DeleteItem', TABLE),
    ...each(TAKEN, queue('accounts')),
    ...each('sqs:SendMessage', queue('events'), queue('messages'), queue('accounts')),
  ],
  deliver: [
    ...each('dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query', TABLE),
    ...each('dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem', TABLE),
    ...each(TAKEN, queue('messages'), queue('essential'), queue('mail-events')),
    ...each('sqs:SendMessage', queue('events'), queue('messages'), queue('essential')),
    ...each('ses:GetAccount', '*'),
    ...each('ses:SendEmail', ses(`identity/${domain}`), ses(`identity/${fromAddress}`), ses(`configuration-set/${configurationSet}`)),
  ],
  report: [
    ...each('dynamodb:GetItem dynamodb:BatchGetItem dynamodb:PutItem dynamodb:Scan', TABLE),
    ...each('s3:GetObject', '<Bucket>/archive/*'),
    ...each('s3:PutObject', '<Bucket>/archive/extracts/*'),
    ...each('s3:ListBucket', '<Bucket>'),
    ...each('sqs:SendMessage', queue('schedules-dlq')),
  ],
  import: [
    ...each('dynamodb:GetItem dynamodb:UpdateItem dynamodb:BatchWriteItem', TABLE),
    ...each(TAKEN, queue('incoming')),
    ...each('sqs:SendMessage', queue('incoming'), queue('imports')),
    ...each('s3:GetObject', '<Bucket>/incoming/*', '<Bucket>/archive/imports/*'),
    ...each('s3:PutObject', '<Bucket>/archive/imports/*'),
    ...each('s3:ListBucket', '<Bucket>'),
  ],
  api: [
    ...each('dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:Scan', TABLE),
    ...each('dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem', TABLE),
    ...each('sqs:SendMessage', queue('events')),
    ...each('sqs:GetQueueAttributes', ...DEPTHS),
  ],
  // Without sign-in it shows nothing.
  dashboard: each('dynamodb:GetItem', TABLE),
};

/** The stage whose colleagues sign in to the dashboard, and what that function may do there. */
const withSignIn = new Rendered({ oidcIssuer: 'https://login.example', oidcClientId: 'us', oidcViewers: 'staff' });
const QUEUED = ['events', 'incoming', 'imports', 'messages', 'essential', 'accounts', 'mail-events'];
const DASHBOARD = [
  ...each('dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:PutItem dynamodb:UpdateItem dynamodb:UpdateItem', TABLE).filter((line, at, all) => all.indexOf(line) === at),
  ...each('sqs:GetQueueAttributes', ...DEPTHS),
  ...each('sqs:SendMessage', ...QUEUED.map(queue)),
  ...each('sqs:ReceiveMessage sqs:DeleteMessage', ...QUEUED.map((name) => queue(`${name}-dlq`))),
];

for (const [name, may] of Object.entries(MAY)) {
  it(`${name} may do what its code does, and write its own log`, () => {
    const log = each('logs:CreateLogStream logs:PutLogEvents', `<LogGroup /aws/lambda/perennial-${name}>`);
    assert.deepEqual(allowed(shipped, `Permissions of perennial-${name}`), [...may, ...log].sort());
  });
}

it('dashboard may read, write the audit log, resume journeys, unmerge and redrive, once colleagues can sign in', () => {
  const log = each('logs:CreateLogStream logs:PutLogEvents', '<LogGroup /aws/lambda/perennial-dashboard>');
  assert.deepEqual(allowed(withSignIn, 'Permissions of perennial-dashboard'), [...DASHBOARD, ...log].sort());
  const written = statements(withSignIn, 'Permissions of perennial-dashboard').filter((statement) => /PutItem|UpdateItem/.test(String(statement.Action)));
  assert.deepEqual(
    written.map((statement) => [statement.Action, statement.Condition]),
    [
      ['dynamodb:PutItem', { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['LOG#*'] } }],
      ['dynamodb:UpdateItem', { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['LOG#*', 'PAUSES'] } }],
    ],
  );
});

it('dashboard may make the calls of the table that its code makes, except the scan that it never starts', () => {
  const actions = [...new Set(DASHBOARD.filter((line) => line.startsWith('dynamodb:')).map((line) => line.replace(/^dynamodb:(\w+) .*$/, '$1')))];
  assert.deepEqual(actions.sort(), tableActions('dashboard').filter((action) => action !== 'Scan'));
});

for (const name of Object.keys(MAY).filter((name) => name !== 'dashboard')) {
  it(`${name} may make the calls of the table that its code makes, and no others`, () => {
    const actions = allowed(shipped, `Permissions of perennial-${name}`)
      .filter((line) => line.startsWith('dynamodb:'))
      .map((line) => line.replace(/^dynamodb:(\w+) .*$/, '$1'));
    assert.deepEqual([...new Set(actions)].sort(), tableActions(name));
  });
}

it('schedules may call sweep and report, and move calls that fail to the dead-letter queue', () => {
  assert.deepEqual(allowed(shipped, 'Lets the schedules of perennial call their functions'), [
    'lambda:InvokeFunction <Function perennial-report>',
    'lambda:InvokeFunction <Function perennial-sweep>',
    'sqs:SendMessage <Queue perennial-schedules-dlq>',
  ]);
});

it('there is no other role, and no policy beside the roles', () => {
  assert.equal(shipped.all('AWS::IAM::Role').length, 10);
  for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy']) assert.deepEqual(shipped.all(type), []);
});

it('no role has a wildcard, but for objects below a prefix, and that deliver asks for the account\'s quota', () => {
  const wild = shipped
    .all('AWS::IAM::Role')
    .flatMap(({ Properties }) => allowed(shipped, Properties.Description))
    .filter((line) => line.includes('*'));
  assert.deepEqual(wild.sort(), [
    's3:GetObject <Bucket>/archive/*',
    's3:GetObject <Bucket>/archive/imports/*',
    's3:GetObject <Bucket>/incoming/*',
    's3:PutObject <Bucket>/archive/*',
    's3:PutObject <Bucket>/archive/extracts/*',
    's3:PutObject <Bucket>/archive/imports/*',
    'ses:GetAccount *',
  ]);
});

it('each role can be taken on by one service only, and that of schedules by this stage\'s alone', () => {
  const trusted = shipped.all('AWS::IAM::Role').map(({ Properties: { Description, AssumeRolePolicyDocument } }) => {
    assert.equal(AssumeRolePolicyDocument.Statement.length, 1);
    const { Principal, Condition } = AssumeRolePolicyDocument.Statement[0];
    return [Description, Principal.Service, Condition];
  });
  for (const [description, service, condition] of trusted) {
    if (!description.startsWith('Lets the schedules')) {
      assert.deepEqual([service, condition], ['lambda.amazonaws.com', undefined]);
      continue;
    }
    assert.equal(service, 'scheduler.amazonaws.com');
    assert.deepEqual(condition, {
      StringEquals: {
        'aws:SourceAccount': '<AccountId>',
        'aws:SourceArn': `${ARN.replace('SERVICE', 'scheduler')}schedule-group/perennial`,
      },
    });
  }
});

describe('deliver', () => {
  it('sends mail under one address only', () => {
    const sends = statements(shipped, 'Permissions of perennial-deliver').filter(({ Action }) => [Action].flat().includes('ses:SendEmail'));
    assert.deepEqual(sends.map(({ Condition }) => Condition), [{ StringEquals: { 'ses:FromAddress': fromAddress } }]);
  });

  it('reads the secrets that channels.toml names, and no others', () => {
    const secret = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:chat-AbCdEf';
    const changed = configWith({
      'channels.toml': (text) =>
        text
          .replace('secret_env = "TASKS_WEBHOOK_SECRET"', 'secret = "perennial/tasks"')
          .replace('secret_env = "CRM_WEBHOOK_SECRET"', 'secret = "/perennial/crm"')
          .replace('secret_env = "TEAM_CHAT_URL"', `secret = "${secret}"`),
    });
    const key = 'arn:aws:kms:eu-central-1:111122223333:key/1';
    const more = (context: Record<string, string>) => {
      const now = allowed(new Rendered({ config: changed, ...context }), 'Permissions of perennial-deliver');
      return now.filter((line) => !allowed(shipped, 'Permissions of perennial-deliver').includes(line));
    };
    const read = [
      `secretsmanager:GetSecretValue ${secret}`,
      `secretsmanager:GetSecretValue ${ARN.replace('SERVICE', 'secretsmanager')}secret:perennial/tasks-??????`,
      `ssm:GetParameter ${ARN.replace('SERVICE', 'ssm')}parameter/perennial/crm`,
    ].sort();
    assert.deepEqual(more({}), read);
    assert.deepEqual(more({ secretsKeyArn: key }), [`kms:Decrypt ${key}`, ...read]);
  });
});
