/**
 * The permissions of each function: the calls in its code, on the resources that it uses, and nothing else.
 *
 * Two calls are left out on purpose. While they start, `score` and `rollup` request a queue, and `score` an object of the archive, only to open the connection;
 * a denied request opens it as well.
 */

import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Config, FunctionName } from './config/index.ts';
import { type QueueName, QUEUES, queuesOf } from './flow.ts';
import type { Queues } from './queues.ts';
import { ARCHIVE_PREFIX, DUE_INDEX, INCOMING_PREFIX, PROGRESS_PREFIX, type Storage } from './storage.ts';

/** The resources of functions. */
export interface Resources {
  readonly config: Config;
  /** The name of the configuration set of mails. */
  readonly configurationSet: string;
  readonly queues: Queues;
  readonly storage: Storage;
  /** The key of the secrets in `channels.toml`, if it is not AWS's own. */
  readonly secretsKeyArn?: string;
  /** Whether colleagues can sign in to the dashboard. */
  readonly hasSignIn: boolean;
}

/** Statements for `name`'s role. */
export function permissionsOf(name: FunctionName, stack: Stack, resources: Resources): PolicyStatement[] {
  return [...consumed(name, resources), ...OWN[name](resources, stack)];
}

type Own = (resources: Resources, stack: Stack) => PolicyStatement[];

const OWN: Readonly<Record<FunctionName, Own>> = {
  ingest: (r) => [
    table(r, 'GetItem', 'BatchWriteItem'),
    allow([r.queues.of.events.queue.queueArn], 'sqs:SendMessage', 'sqs:GetQueueAttributes'),
  ],
  score: (r) => [
    table(r, 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'BatchWriteItem'),
    send(r, 'events', 'messages', 'essential', 'accounts'),
    allow([r.storage.archive.arnForObjects(`${ARCHIVE_PREFIX}/*`)], 's3:PutObject'),
  ],
  sweep: (r) => [
    // The scan counts the table, a part in each run.
    table(r, 'GetItem', 'PutItem', 'Scan'),
    allow([`${r.storage.table.tableArn}/index/${DUE_INDEX}`], 'dynamodb:Query'),
    send(r, 'events', 'accounts'),
    // Lambda sends failed calls there with the function's role.
    allow([r.queues.schedulesDlq.queueArn], 'sqs:SendMessage'),
  ],
  rollup: (r) => [table(r, 'GetItem', 'Query', 'PutItem', 'DeleteItem'), send(r, 'events', 'messages', 'accounts')],
  deliver: (r, stack) => [
    table(r, 'GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'),
    send(r, 'events', 'messages', 'essential'),
    mail(r, stack),
    // The account's quota. The call has no resource.
    allow(['*'], 'ses:GetAccount'),
    ...secrets(r, stack),
  ],
  report: (r) => [
    // The scan counts all profiles, a part in each run.
    table(r, 'GetItem', 'BatchGetItem', 'PutItem', 'Scan'),
    // It reads the events of a day once, and keeps what they say about subscriptions.
    allow([r.storage.archive.arnForObjects(`${ARCHIVE_PREFIX}/*`)], 's3:GetObject'),
    allow([r.storage.archive.arnForObjects(`${ARCHIVE_PREFIX}/extracts/*`)], 's3:PutObject'),
    allow([r.storage.archive.bucketArn], 's3:ListBucket'),
    // Lambda sends failed calls there with the function's role.
    allow([r.queues.schedulesDlq.queueArn], 'sqs:SendMessage'),
  ],
  import: (r) => [
    table(r, 'GetItem', 'UpdateItem', 'BatchWriteItem'),
    send(r, 'incoming', 'imports'),
    allow([r.storage.archive.arnForObjects(`${INCOMING_PREFIX}*`)], 's3:GetObject'),
    allow([r.storage.archive.arnForObjects(`${PROGRESS_PREFIX}*`)], 's3:GetObject', 's3:PutObject'),
    // Without it S3 refuses a request for an object that does not exist, instead of saying so: each new file would fail.
    allow([r.storage.archive.bucketArn], 's3:ListBucket'),
  ],
  api: (r) => [
    table(r, 'GetItem', 'BatchGetItem', 'Query', 'Scan', 'PutItem', 'UpdateItem', 'DeleteItem'),
    send(r, 'events'),
    depths(r),
  ],
  // Without sign-in it shows nothing, and only loads the configuration.
  dashboard: (r) =>
    r.hasSignIn
      ? [
          table(r, 'GetItem', 'BatchGetItem', 'Query'),
          // It writes the audit log, and resumes paused journeys.
          written(r, ['LOG#*'], 'PutItem'),
          written(r, ['LOG#*', 'PAUSES'], 'UpdateItem'),
          send(r, ...QUEUES),
          depths(r),
          allow(QUEUES.map((name) => r.queues.of[name].dlq.queueArn), 'sqs:ReceiveMessage', 'sqs:DeleteMessage'),
        ]
      : [table(r, 'GetItem')],
};

/** What Lambda does with the function's role to poll its queues. */
function consumed(name: FunctionName, { queues }: Resources): PolicyStatement[] {
  const fed = queuesOf(name).map((queue) => queues.of[queue].queue.queueArn);
  return fed.length === 0 ? [] : [allow(fed, 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes')];
}

function allow(resources: string[], ...actions: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources });
}

function table({ storage }: Resources, ...actions: string[]): PolicyStatement {
  return allow([storage.table.tableArn], ...actions.map((action) => `dynamodb:${action}`));
}

/** Writes of items whose partition keys are like one of `keys`. */
function written({ storage }: Resources, keys: string[], ...actions: string[]): PolicyStatement {
  return new PolicyStatement({
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [storage.table.tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } },
  });
}

/** How many messages wait in each queue and dead-letter queue. */
function depths({ queues }: Resources): PolicyStatement {
  return allow(QUEUES.flatMap((name) => [queues.of[name].queue.queueArn, queues.of[name].dlq.queueArn]), 'sqs:GetQueueAttributes');
}

function send({ queues }: Resources, ...names: QueueName[]): PolicyStatement {
  const to: Queue[] = names.map((name) => queues.of[name].queue);
  return allow(to.map((queue) => queue.queueArn), 'sqs:SendMessage');
}

/** SES requires permission for the sender's identity, whichever of the two is verified, and for the configuration set. */
function mail({ config, configurationSet }: Resources, stack: Stack): PolicyStatement {
  const { fromAddress, domain } = config.mail;
  const ses = (resource: string, resourceName: string) => stack.formatArn({ service: 'ses', resource, resourceName });
  return new PolicyStatement({
    actions: ['ses:SendEmail'],
    resources: [ses('identity', domain), ses('identity', fromAddress), ses('configuration-set', configurationSet)],
    conditions: { StringEquals: { 'ses:FromAddress': fromAddress } },
  });
}

/** The secrets that endpoints name with `secret`, which the extension reads with the function's role. */
function secrets({ config, secretsKeyArn }: Resources, stack: Stack): PolicyStatement[] {
  const { stored, parameters } = config.endpoints;
  const arnOf = (name: string, other: () => string) => (name.startsWith('arn:') ? name : other());
  // Secrets Manager appends six characters to a name.
  const secret = (name: string) =>
    arnOf(name, () =>
      stack.formatArn({
        service: 'secretsmanager',
        resource: 'secret',
        resourceName: `${name}-??????`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
  const parameter = (name: string) =>
    arnOf(name, () => stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: name.slice(1) }));
  return [
    ...(stored.length > 0 ? [allow(stored.map(secret), 'secretsmanager:GetSecretValue')] : []),
    ...(parameters.length > 0 ? [allow(parameters.map(parameter), 'ssm:GetParameter')] : []),
    ...(secretsKeyArn && stored.length + parameters.length > 0 ? [allow([secretsKeyArn], 'kms:Decrypt')] : []),
  ];
}
