/** Mail: the configuration set of `deliver`, and the path of delivery events, SES -> SNS -> SQS. */

import { CfnOutput, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnConfigurationSet, CfnConfigurationSetEventDestination, EmailIdentity, Identity } from 'aws-cdk-lib/aws-ses';
import { Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Config } from './config/index.ts';
import type { Options } from './options.ts';
import type { QueuePair } from './queues.ts';

/** The events that `perennial_contracts::ses` reads. `deliveryDelay` changes nothing but shows in the metrics that events arrive. */
export const EVENTS = [
  ...['send', 'delivery', 'bounce', 'complaint', 'reject', 'open', 'click', 'deliveryDelay', 'subscription'],
  'renderingFailure',
];

/** The name of a stage's configuration set: the configured one, with the stage's name if it has one. */
export function configurationSetOf({ stage }: Options, { mail }: Config): string {
  return stage === undefined ? mail.configurationSet : `${mail.configurationSet}-${stage}`;
}

/** The mail side of a stage. */
export class Mail extends Construct {
  constructor(scope: Construct, id: string, props: { options: Options; config: Config; reports: QueuePair }) {
    super(scope, id);
    const { options, config, reports } = props;
    const stack = Stack.of(this);

    const name = configurationSetOf(options, config);
    const set = new CfnConfigurationSet(this, 'ConfigurationSet', {
      name,
      reputationOptions: { reputationMetricsEnabled: true },
      sendingOptions: { sendingEnabled: true },
    });

    const topic = new Topic(this, 'Events', { topicName: `${options.prefix}-mail-events`, enforceSSL: true });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ReportsOfOurMails',
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: {
            'aws:SourceAccount': stack.account,
            'aws:SourceArn': stack.formatArn({
              service: 'ses',
              resource: 'configuration-set',
              resourceName: name,
            }),
          },
        },
      }),
    );
    // Raw: a report is half as long without SNS's envelope. What cannot even be put into the queue ends where its dead letters do.
    topic.addSubscription(new SqsSubscription(reports.queue, { rawMessageDelivery: true, deadLetterQueue: reports.dlq }));

    const destination = new CfnConfigurationSetEventDestination(this, 'ToTopic', {
      configurationSetName: set.ref,
      eventDestination: {
        name: `${options.prefix}-mail-events`,
        enabled: true,
        matchingEventTypes: EVENTS,
        snsDestination: { topicArn: topic.topicArn },
      },
    });
    // SES publishes a greeting when the destination is made, and refuses to make it where that fails.
    for (const policy of topic.node.children.filter((child) => child instanceof TopicPolicy)) {
      destination.node.addDependency(policy);
    }

    if (options.createIdentity) {
      const identity = new EmailIdentity(this, 'Identity', { identity: Identity.domain(config.mail.domain) });
      identity.dkimRecords.forEach(({ name, value }, number) => {
        new CfnOutput(stack, `Dkim${number + 1}`, {
          description: `Record ${number + 1} of 3 for the DNS of ${config.mail.domain}: it verifies the domain, and signs its mails`,
          value: `${name} CNAME ${value}`,
        });
      });
    }
  }
}
