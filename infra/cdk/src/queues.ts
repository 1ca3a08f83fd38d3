/** The queues between the functions, each with where it sets messages aside that no attempt got through. */

import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Config, VISIBILITY_TIMEOUTS } from './config/index.ts';
import { CONSUMERS, type QueueName, QUEUES } from './flow.ts';
import { acknowledge } from './nag.ts';

/** A queue and its dead-letter queue. */
export interface QueuePair {
  readonly queue: Queue;
  readonly dlq: Queue;
}

/** All queues. */
export class Queues extends Construct {
  /** Those that feed functions. */
  readonly of: Readonly<Record<QueueName, QueuePair>>;
  /** Failed calls of schedules: neither EventBridge Scheduler nor Lambda could complete the call. */
  readonly schedulesDlq: Queue;

  constructor(scope: Construct, id: string, props: { prefix: string; config: Config }) {
    super(scope, id);
    const { maxReceives, retentionDays, dlqRetentionDays } = props.config.deployment.queues;
    const queue = (path: string, name: string, days: number, rest: object = {}) =>
      new Queue(this, path, {
        queueName: `${props.prefix}-${name}`,
        retentionPeriod: Duration.days(days),
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        ...rest,
      });
    const pair = (name: QueueName): QueuePair => {
      const dlq = queue(`${name}-dlq`, `${name}-dlq`, dlqRetentionDays);
      const timeout = props.config.deployment.functions[CONSUMERS[name]].timeoutSeconds;
      return {
        dlq,
        queue: queue(name, name, retentionDays, {
          // A batch that is throttled is tried for some time before it uses up an attempt.
          visibilityTimeout: Duration.seconds(VISIBILITY_TIMEOUTS * timeout),
          deadLetterQueue: { queue: dlq, maxReceiveCount: maxReceives },
        }),
      };
    };
    this.of = Object.fromEntries(QUEUES.map((name) => [name, pair(name)])) as Record<QueueName, QueuePair>;
    this.schedulesDlq = queue('schedules-dlq', 'schedules-dlq', dlqRetentionDays);
    acknowledge(this.schedulesDlq, 'AwsSolutions-SQS3', 'It is a dead-letter queue: of schedules, and of the calls that they make.');
  }
}
