// A stage that is deployed by CDK, and used as its owners, their customers and their readers use it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { all, services } from './aws.mjs';
import { batchesOf } from './batches.mjs';
import { WRITE_KEY } from './config.mjs';
import { createOperator } from './operator.mjs';
import { FUNCTIONS } from './packages.mjs';
import { paths } from './paths.mjs';
import { run, until } from './run.mjs';

/** Whether it has a gzip header. */
const isDeflated = (bytes) => bytes[0] === 0x1f && bytes[1] === 0x8b;
const SEND = fileURLToPath(new URL('send.mjs', import.meta.url));

export class Stage {
  /** `stage` as in `-c stage`, undefined for the one without a name; `config` and `packages` are directories; `context` has further options. */
  constructor(emulator, { stage, config, packages, context = {} }) {
    this.emulator = emulator;
    this.aws = services(emulator);
    this.name = stage ? `perennial-${stage}` : 'perennial';
    this.config = config;
    this.apiKey = randomBytes(24).toString('hex');
    this.assembly = join(emulator.directory, `${this.name}.out`);
    this.context = {
      config,
      packages,
      apiKeyHashes: createHash('sha256').update(this.apiKey).digest('hex'),
      ...(stage && { stage }),
      ...context,
    };
  }

  /** Synthesises the app and deploys it, as its README describes. */
  async deploy() {
    const context = Object.entries(this.context).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const outputs = `${this.assembly}.json`;
    const flags = ['--require-approval', 'never', '--output', this.assembly, '--outputs-file', outputs];
    await this.emulator.cdk(['deploy', ...flags, ...context]);
    this.outputs = JSON.parse(await readFile(outputs, 'utf8'))[this.name];
  }

  /** Deletes the stack. */
  async destroy() {
    await this.emulator.cdk(['destroy', '--force', '--app', this.assembly, this.name]);
  }

  /** The path at which ministack answers for a function URL. */
  path(url) {
    const { host, pathname, search } = new URL(url);
    return `/_aws/lambda-url/${host.split('.')[0]}${pathname}${search}`;
  }

  /** Sends calls with `@segment/analytics-node`, which has to be content with the answers. */
  async send(calls) {
    const { url: host, environment } = this.emulator;
    const env = { ...environment, PERENNIAL_TEST_TOOLS: paths.tools };
    const child = spawn(process.execPath, [SEND], { env, stdio: ['pipe', 'inherit', 'pipe'] });
    let failures = '';
    child.stderr.on('data', (chunk) => (failures += chunk));
    child.stdin.end(JSON.stringify({ host, path: this.path(`${this.outputs.IngestUrl}v1/batch`), writeKey: WRITE_KEY, calls }));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0, `the SDK reported: ${failures}`);
  }

  /** Posts one call of the tracking API. */
  async post(type, call) {
    const path = this.path(`${this.outputs.IngestUrl}v1/${type}`);
    const headers = { authorization: `Basic ${btoa(`${WRITE_KEY}:`)}`, 'content-type': 'application/json' };
    const answer = await this.emulator.fetch(path, { method: 'POST', headers, body: JSON.stringify(call) });
    assert.equal(answer.status, 200, `POST /v1/${type}: ${answer.text}`);
  }

  /** Sends a request to the api, with its key. */
  ask(path, { key = this.apiKey, ...rest } = {}) {
    const headers = key ? { authorization: `Bearer ${key}` } : {};
    return this.emulator.fetch(this.path(this.outputs.ApiUrl + path.slice(1)), { headers, ...rest });
  }

  /** Sends a request to the dashboard, as a browser does. */
  open(path, options) {
    return this.emulator.fetch(this.path(this.outputs.DashboardUrl + path.slice(1)), options);
  }

  /** The JSON response of the api; null for 404. */
  async get(path) {
    const answer = await this.ask(path);
    if (answer.status === 404) return null;
    assert.equal(answer.status, 200, `GET ${path}: ${answer.text}`);
    return JSON.parse(answer.text);
  }

  /** The profile of an identity. */
  profile(identity) {
    return this.get(`/api/profiles/${encodeURIComponent(identity)}`);
  }

  /** The profile, once `is` holds. */
  async profileOnce(identity, what, is, options) {
    return until(`${identity}: ${what}`, async () => {
      const profile = await this.profile(identity);
      return profile && is(profile) ? profile : Promise.reject(new Error(JSON.stringify(profile)));
    }, options);
  }

  /** The mails that SES took for an address, the oldest first. */
  async mailsTo(address) {
    const { messages } = JSON.parse((await this.emulator.fetch('/_ministack/ses/messages')).text);
    return Object.values(messages).flat().filter((mail) => mail.To.includes(address));
  }

  /** A queue's URL by its name, such as `events` and `events-dlq`. */
  async queueUrl(queue) {
    return (await this.aws.queues('GetQueueUrl', { QueueName: `${this.name}-${queue}` })).QueueUrl;
  }

  /** The number of visible messages in a queue, and of those in flight. */
  async depth(queue) {
    const QueueUrl = await this.queueUrl(queue);
    const { Attributes } = await this.aws.queues('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] });
    return { waiting: Number(Attributes.ApproximateNumberOfMessages), taken: Number(Attributes.ApproximateNumberOfMessagesNotVisible) };
  }

  /** The name of a function's role. */
  async role(name) {
    const { Role } = await this.aws.functions('GetFunctionConfiguration', { FunctionName: `${this.name}-${name}` });
    return Role.split('/').at(-1);
  }

  /** Makes failed messages of a queue visible again after a second rather than minutes. In the template that would be too short for the function. */
  async hurry(queue) {
    await this.aws.queues('SetQueueAttributes', { QueueUrl: await this.queueUrl(queue), Attributes: { VisibilityTimeout: '1' } });
  }

  /** The dead letters of a queue, which stay where they are. */
  async deadLetters(queue) {
    const QueueUrl = await this.queueUrl(`${queue}-dlq`);
    return (await this.aws.queues('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 })).Messages ?? [];
  }

  /** Runs a command of the CLI against this stage with an operator's permissions, and returns its output. */
  operate(...args) {
    const env = { ...this.emulator.environment, ...this.operator };
    return run(paths.perennial, [...args, '--stack', this.name], { cwd: this.emulator.directory, env });
  }

  /** The texts of all objects of the archive, one after another. */
  async archived() {
    const Bucket = this.outputs.ArchiveBucket;
    const paging = { input: { Bucket, Prefix: 'archive/' }, next: 'NextContinuationToken', token: 'ContinuationToken' };
    const objects = await all(this.aws.objects, 'ListObjectsV2', 'Contents', paging);
    const texts = objects.map(async ({ Key }) => {
      const bytes = Buffer.from(await (await this.aws.objects('GetObject', { Bucket, Key })).Body.transformToByteArray());
      return (isDeflated(bytes) ? gunzipSync(bytes) : bytes).toString();
    });
    return (await Promise.all(texts)).join('\n');
  }

  /** Does the steps after a first deployment, and those that ministack does not do by itself. */
  async begin() {
    this.operator = await createOperator(this);
    await this.operate('config', 'push', this.config);
    // ministack leaves the template's TTL out. With it, what functions write has to outlive it.
    await this.aws.tables('UpdateTimeToLive', { TableName: this.name, TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true } });
    await Promise.all(FUNCTIONS.map((name) => this.#translate(name)));
  }

  /**
   * Gives a role the permissions that ministack requires where AWS requires those of the template: separate actions for batches of messages, and
   * for mails permission for `*`, without conditions. The template's own permissions are checked in infra/cdk/test.
   */
  async #translate(name) {
    const RoleName = await this.role(name);
    const { Statement } = await this.policy(RoleName);
    const batches = batchesOf(Statement);
    const mails = Statement.filter((statement) => [statement.Action].flat().includes('ses:SendEmail')).map(() => ({ Effect: 'Allow', Action: 'ses:SendEmail', Resource: '*' }));
    if (batches.length + mails.length === 0) return;
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [...batches, ...mails] });
    await this.aws.roles('PutRolePolicy', { RoleName, PolicyName: 'ministack', PolicyDocument });
  }

  /** The template's policy of a role. */
  async policy(RoleName) {
    const { PolicyDocument } = await this.aws.roles('GetRolePolicy', { RoleName, PolicyName: 'own' });
    return JSON.parse(decodeURIComponent(PolicyDocument));
  }
}
