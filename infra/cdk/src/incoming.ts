/** Notices of new files: S3 puts one onto the queue `incoming` for each object below `incoming/`. */

import { type CfnResource, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { QueuePolicy } from 'aws-cdk-lib/aws-sqs';
import type { QueuePair } from './queues.ts';
import { INCOMING_PREFIX, type Storage } from './storage.ts';

/** Has the bucket announce its new files. CDK's own way would add a function and a role that may change every bucket. */
export function announceFiles(storage: Storage, { queue }: QueuePair): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NoticesOfOurFiles',
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(queue).account },
        ArnEquals: { 'aws:SourceArn': storage.archiveArn },
      },
    }),
  );
  const bucket = storage.archive.node.defaultChild as CfnBucket;
  bucket.notificationConfiguration = {
    queueConfigurations: [
      {
        event: 's3:ObjectCreated:*',
        filter: { s3Key: { rules: [{ name: 'prefix', value: INCOMING_PREFIX }] } },
        queue: queue.queueArn,
      },
    ],
  };
  // S3 sends a test event when notices are set up, and refuses to set them up where that fails.
  for (const policy of queue.node.children.filter((child) => child instanceof QueuePolicy)) {
    bucket.addResourceDependency(policy.node.defaultChild as CfnResource);
  }
}
