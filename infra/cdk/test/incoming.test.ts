import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { read, Rendered, shipped } from './support.ts';

describe('notices of new files', () => {
  it('go to the queue of import, for objects below the folder that it reads, and for no others', () => {
    const [bucket] = shipped.all('AWS::S3::Bucket');
    const prefix = /const PREFIX: &str = "([^"]+)"/.exec(read('functions/import/src/notice.rs'))?.[1];
    assert.deepEqual(bucket?.Properties.NotificationConfiguration, {
      QueueConfigurations: [
        {
          Event: 's3:ObjectCreated:*',
          Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: prefix }] } },
          Queue: '<Queue perennial-incoming>',
        },
      ],
    });
  });

  it('are accepted from this stage\'s bucket of this account alone', () => {
    for (const [rendered, prefix] of [[shipped, 'perennial'], [new Rendered({ stage: 'dev' }), 'perennial-dev']] as const) {
      const [policy] = rendered.all('AWS::SQS::QueuePolicy').filter((of) => of.Properties.Queues[0] === `<Queue ${prefix}-incoming>`);
      const allowed = policy?.Properties.PolicyDocument.Statement.filter((of: { Effect: string }) => of.Effect === 'Allow');
      assert.deepEqual(
        allowed.map(({ Sid: _, ...statement }: { Sid: string }) => statement),
        [
          {
            Effect: 'Allow',
            Principal: { Service: 's3.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: `<Queue ${prefix}-incoming>`,
            Condition: {
              StringEquals: { 'aws:SourceAccount': '<AccountId>' },
              ArnEquals: { 'aws:SourceArn': `arn:<Partition>:s3:::${prefix}-archive-<AccountId>-<Region>` },
            },
          },
        ],
      );
    }
  });

  it('are set up once the queue accepts them, for S3 tries', () => {
    const bucket = Object.values(shipped.resources).find(({ Type }) => Type === 'AWS::S3::Bucket');
    const before = [bucket?.DependsOn ?? []].flat().map((id) => shipped.resources[id]);
    assert.deepEqual(before.map((of) => [of?.Type, shipped.named(of?.Properties.Queues)]), [['AWS::SQS::QueuePolicy', ['<Queue perennial-incoming>']]]);
  });

  it('need no function, role or custom resource of their own', () => {
    assert.deepEqual(Object.values(shipped.resources).filter(({ Type }) => Type.startsWith('Custom::')), []);
  });
});
