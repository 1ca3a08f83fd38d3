/** The functions: each a Rust binary with its own role, log group and environment. */

import { type CfnElement, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  EventSourceMapping,
  Function,
  FunctionUrlAuthType,
  ParamsAndSecretsLayerVersion,
  ParamsAndSecretsVersions,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionName } from './config/index.ts';
import { acknowledge } from './nag.ts';
import type { Options } from './options.ts';
import { permissionsOf, type Resources } from './permissions.ts';
import { CONSUMERS, type QueueName, QUEUES } from './flow.ts';
import type { Secrets } from './secrets.ts';
import { ARCHIVE_PREFIX, INCOMING_PREFIX, PROGRESS_PREFIX } from './storage.ts';

/** A line about each function. */
const ABOUT: Readonly<Record<FunctionName, string>> = {
  ingest: 'Accepts events over HTTPS',
  score: 'Applies events to profiles and decides the next actions',
  sweep: 'Finds the profiles and accounts whose timers fired',
  rollup: 'Computes accounts',
  deliver: 'Sends messages, and processes delivery reports',
  report: 'Counts all profiles and makes the reports',
  api: 'Serves the API, the inbox and the preference page',
  dashboard: 'Shows pages to colleagues',
  import: 'Imports files that arrive in the bucket',
};

/** All functions, with everything that calls them except schedules. */
export class Functions extends Construct {
  readonly of: Readonly<Record<FunctionName, Function>>;
  /** The URL for sending events. */
  readonly ingestUrl: string;
  /** The URL of the api. */
  readonly apiUrl: string;
  /** The URL of the dashboard. */
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, props: { options: Options; resources: Resources; secrets: Secrets }) {
    super(scope, id);
    const { options, resources, secrets } = props;
    const { config, queues, storage } = resources;
    const url = (name: QueueName) => queues.of[name].queue.queueUrl;
    const table = { TABLE: storage.table.tableName };
    const revision = { SECRETS_REVISION: options.secretsRevision };
    const create = (name: FunctionName, environment: Record<string, string>) =>
      new PerennialFunction(this, name, { name, options, resources, environment }).function;

    const ingest = create('ingest', {
      ...table,
      EVENTS_QUEUE_URL: url('events'),
      ...secrets.environment('INBOX_SECRETS', ...config.hooks.env),
      ...revision,
    });
    const score = create('score', {
      ...table,
      EVENTS_QUEUE_URL: url('events'),
      MESSAGES_QUEUE_URL: url('messages'),
      ESSENTIAL_QUEUE_URL: url('essential'),
      ACCOUNTS_QUEUE_URL: url('accounts'),
      ARCHIVE: `s3://${storage.archive.bucketName}/${ARCHIVE_PREFIX}`,
    });
    const sweep = create('sweep', {
      ...table,
      EVENTS_QUEUE_URL: url('events'),
      ACCOUNTS_QUEUE_URL: url('accounts'),
    });
    const rollup = create('rollup', {
      ...table,
      EVENTS_QUEUE_URL: url('events'),
      MESSAGES_QUEUE_URL: url('messages'),
      ACCOUNTS_QUEUE_URL: url('accounts'),
    });
    const report = create('report', {
      ...table,
      ARCHIVE: `s3://${storage.archive.bucketName}/${ARCHIVE_PREFIX}`,
    });
    const depths = QUEUES.flatMap((name) => {
      const key = name.toUpperCase().replace('-', '_');
      return [
        [`${key}_QUEUE_URL`, url(name)],
        [`${key}_DLQ_URL`, queues.of[name].dlq.queueUrl],
      ];
    });
    const api = create('api', {
      ...table,
      ...(Object.fromEntries(depths) as Record<string, string>),
      API_KEY_HASHES: options.apiKeyHashes.join(','),
      ...secrets.environment('UNSUBSCRIBE_KEYS', 'INBOX_SECRETS'),
      ...revision,
    });
    const dashboard = create('dashboard', {
      ...table,
      ...(Object.fromEntries(depths) as Record<string, string>),
      ...signInOf(options, secrets),
    });
    this.ingestUrl = published(ingest);
    this.apiUrl = published(api);
    this.dashboardUrl = published(dashboard);
    const deliver = create('deliver', {
      ...table,
      EVENTS_QUEUE_URL: url('events'),
      MESSAGES_QUEUE_URL: url('messages'),
      ESSENTIAL_QUEUE_URL: url('essential'),
      PUBLIC_URL: options.publicUrl ?? this.apiUrl,
      CONFIGURATION_SET: resources.configurationSet,
      ...secrets.environment('UNSUBSCRIBE_KEYS', ...config.endpoints.env),
      ...revision,
    });
    const importer = create('import', {
      ...table,
      IMPORTS_QUEUE_URL: url('imports'),
      INCOMING_QUEUE_URL: url('incoming'),
      ARCHIVE: `s3://${storage.archive.bucketName}/${ARCHIVE_PREFIX}`,
      BUCKET: `s3://${storage.archive.bucketName}`,
    });
    this.of = { ingest, score, sweep, rollup, deliver, report, api, dashboard, import: importer };

    for (const name of QUEUES) this.feed(name, resources);
  }

  /** Connects a queue to its function. Only failed records are retried: functions return their ids. */
  private feed(name: QueueName, { config, queues }: Resources): void {
    const consumer = CONSUMERS[name];
    const batch = config.deployment.functions[consumer].batch;
    if (!batch) throw new Error(`${consumer} is fed by a queue and has no batch`);
    new EventSourceMapping(this, `from-${name}`, {
      target: this.of[consumer],
      eventSourceArn: queues.of[name].queue.queueArn,
      batchSize: batch.messages,
      maxBatchingWindow: Duration.seconds(batch.windowSeconds),
      maxConcurrency: batch.atOnce,
      reportBatchItemFailures: true,
    });
  }
}

/** The dashboard's variables of sign-in; none without a provider. */
function signInOf({ auditDays, secretsRevision, signIn }: Options, secrets: Secrets): Record<string, string> {
  const days: Record<string, string> = auditDays === undefined ? {} : { AUDIT_DAYS: auditDays };
  if (signIn === undefined) return days;
  return {
    ...days,
    OIDC_ISSUER: signIn.issuer,
    OIDC_CLIENT_ID: signIn.clientId,
    ...signIn.variables,
    ...secrets.environment('SESSION_KEYS', ...(signIn.isPublic ? [] : ['OIDC_CLIENT_SECRET'])),
    SECRETS_REVISION: secretsRevision,
  };
}

/** Makes a function public over HTTPS, and returns its URL. */
function published(of: Function): string {
  // It checks keys and signatures itself, and answers preflight requests itself: with CORS configured here, browsers would get both.
  return of.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }).url;
}

/** One function. */
class PerennialFunction extends Construct {
  readonly function: Function;

  constructor(
    scope: Construct,
    id: string,
    props: { name: FunctionName; options: Options; resources: Resources; environment: Record<string, string> },
  ) {
    super(scope, id);
    const { name, options, resources } = props;
    const { deployment, endpoints } = resources.config;
    const size = deployment.functions[name];
    const functionName = `${options.prefix}-${name}`;
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: deployment.logDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const log = new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Permissions of ${functionName}`,
      inlinePolicies: {
        own: new PolicyDocument({ statements: [log, ...permissionsOf(name, Stack.of(this), resources)] }),
      },
    });
    const bucket = Stack.of(this).getLogicalId(resources.storage.archive.node.defaultChild as CfnElement);
    const below = (prefix: string, reason: string) => acknowledge(role, `AwsSolutions-IAM5[Resource::<${bucket}.Arn>/${prefix}*]`, reason);
    if (name === 'score') {
      below(`${ARCHIVE_PREFIX}/`, 'Objects of the archive are named by day and by what is in them. Only writing is allowed, and only below this prefix.');
    }
    if (name === 'import') {
      below(INCOMING_PREFIX, 'Whoever puts a file there names it. Only reading is allowed.');
      below(PROGRESS_PREFIX, 'The progress of an import is named by the content of its file. It contains no event.');
    }
    if (name === 'report') {
      below(`${ARCHIVE_PREFIX}/`, 'It reads the events of each day, whose objects are named by what is in them.');
      below(`${ARCHIVE_PREFIX}/extracts/`, 'It keeps one object for each day. Only writing is allowed, and only below this prefix.');
    }
    if (name === 'deliver') {
      acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'ses:GetAccount reads the quota of the whole account; it takes no resource.');
    }
    const asksExtension = name === 'deliver' && endpoints.stored.length + endpoints.parameters.length > 0;
    this.function = new Function(this, 'Function', {
      functionName,
      description: `${ABOUT[name]} (Perennial)`,
      runtime: Runtime.PROVIDED_AL2023,
      architecture: options.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      handler: 'bootstrap',
      code: Code.fromAsset(options.packageOf(name)),
      memorySize: size.memoryMb,
      timeout: Duration.seconds(size.timeoutSeconds),
      reservedConcurrentExecutions: size.concurrency,
      role,
      logGroup,
      environment: props.environment,
      paramsAndSecrets: asksExtension
        ? ParamsAndSecretsLayerVersion.fromVersion(ParamsAndSecretsVersions.V1_0_103)
        : undefined,
    });
  }
}
