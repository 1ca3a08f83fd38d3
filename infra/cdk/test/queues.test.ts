import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { config, configWith, Rendered, shipped } from './support.ts';

const FEEDS = { events: 'score', incoming: 'import', imports: 'score', messages: 'deliver', essential: 'deliver', accounts: 'rollup', 'mail-events': 'deliver' };

function queue(rendered: Rendered, name: string) {
  return rendered.one('AWS::SQS::Queue', 'QueueName', `perennial-${name}`).Properties;
}

function mapping(rendered: Rendered, name: string) {
  return rendered.one('AWS::Lambda::EventSourceMapping', 'EventSourceArn', `<Queue perennial-${name}>`).Properties;
}

for (const [name, consumer] of Object.entries(FEEDS)) {
  describe(`the queue ${name}`, () => {
    it('sets a message aside after as many attempts as deployment.toml says', () => {
      assert.deepEqual(queue(shipped, name).RedrivePolicy, {
        deadLetterTargetArn: `<Queue perennial-${name}-dlq>`,
        maxReceiveCount: config.deployment.queues.maxReceives,
      });
    });

    it('keeps messages, and dead letters, for as many days as deployment.toml says', () => {
      const { retentionDays, dlqRetentionDays } = config.deployment.queues;
      assert.equal(queue(shipped, name).MessageRetentionPeriod, retentionDays * 86_400);
      assert.equal(queue(shipped, `${name}-dlq`).MessageRetentionPeriod, dlqRetentionDays * 86_400);
    });

    it(`hides a message from others for six times as long as ${consumer} may take`, () => {
      const { Timeout } = shipped.one('AWS::Lambda::Function', 'FunctionName', `perennial-${consumer}`).Properties;
      assert.equal(queue(shipped, name).VisibilityTimeout, 6 * Timeout);
    });

    it(`feeds ${consumer}, and retries only the failed records of a batch`, () => {
      assert.equal(mapping(shipped, name).FunctionName, `<Function perennial-${consumer}>`);
      assert.deepEqual(mapping(shipped, name).FunctionResponseTypes, ['ReportBatchItemFailures']);
    });
  });
}

it('every queue is encrypted, and refuses requests without TLS', () => {
  const queues = shipped.all('AWS::SQS::Queue').map((resource) => resource.Properties);
  assert.equal(queues.length, 15);
  for (const properties of queues) assert.equal(properties.SqsManagedSseEnabled, true, properties.QueueName);
  const refusing = shipped.all('AWS::SQS::QueuePolicy').flatMap((policy) =>
    policy.Properties.PolicyDocument.Statement.filter(
      (statement: { Effect: string; Condition: unknown }) =>
        statement.Effect === 'Deny' &&
        JSON.stringify(statement.Condition) === JSON.stringify({ Bool: { 'aws:SecureTransport': 'false' } }),
    ).flatMap(() => policy.Properties.Queues),
  );
  assert.deepEqual(refusing.sort(), queues.map((properties) => `<Queue ${properties.QueueName}>`).sort());
});

it('nothing else feeds a function', () => {
  assert.equal(shipped.all('AWS::Lambda::EventSourceMapping').length, 7);
});

it('what deployment.toml says of queues and batches is what is deployed', () => {
  const changed = configWith({
    'deployment.toml': () => `
      [queues]
      max_receives = 7
      retention_days = 2
      dlq_retention_days = 9
      [functions.deliver]
      timeout_seconds = 20
      [functions.deliver.batch]
      messages = 40
      window_seconds = 3
      at_once = 6`,
  });
  const rendered = new Rendered({ config: changed });
  for (const name of ['messages', 'essential', 'mail-events']) {
    const { RedrivePolicy, MessageRetentionPeriod, VisibilityTimeout } = queue(rendered, name);
    assert.deepEqual([RedrivePolicy.maxReceiveCount, MessageRetentionPeriod, VisibilityTimeout], [7, 2 * 86_400, 120]);
    assert.equal(queue(rendered, `${name}-dlq`).MessageRetentionPeriod, 9 * 86_400);
    const { BatchSize, MaximumBatchingWindowInSeconds, ScalingConfig } = mapping(rendered, name);
    assert.deepEqual([BatchSize, MaximumBatchingWindowInSeconds, ScalingConfig], [40, 3, { MaximumConcurrency: 6 }]);
  }
});
