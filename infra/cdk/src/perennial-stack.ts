/** One stage of Perennial. */

import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import type { Config } from './config/index.ts';
import { Dashboard } from './dashboard.ts';
import { Functions } from './functions.ts';
import { announceFiles } from './incoming.ts';
import { configurationSetOf, Mail } from './mail.ts';
import type { Options } from './options.ts';
import { Queues } from './queues.ts';
import { Schedules } from './schedules.ts';
import { Secrets } from './secrets.ts';
import { Storage } from './storage.ts';

/** The properties of a stage. */
export interface PerennialStackProps extends StackProps {
  readonly options: Options;
  readonly config: Config;
}

/** All resources of a stage, with nothing shared with another stage but the account's own. */
export class PerennialStack extends Stack {
  constructor(scope: Construct, id: string, props: PerennialStackProps) {
    const { options, config, ...rest } = props;
    super(scope, id, {
      stackName: options.prefix,
      description: 'Perennial: profiles, scores and messages for the customers of a SaaS company',
      // CDK's analytics about this app are of no use to its operator.
      analyticsReporting: false,
      ...rest,
    });
    const { prefix } = options;
    Tags.of(this).add('perennial', prefix);

    const storage = new Storage(this, 'Storage', { prefix });
    const queues = new Queues(this, 'Queues', { prefix, config });
    announceFiles(storage, queues.of.incoming);
    const names = [...new Set([...config.hooks.env, ...config.endpoints.env])].sort();
    const secrets = new Secrets(this, 'Secrets', { prefix, names, signIn: options.signIn });
    const configurationSet = configurationSetOf(options, config);
    const resources = { config, configurationSet, queues, storage, secretsKeyArn: options.secretsKeyArn, hasSignIn: options.signIn !== undefined };
    const functions = new Functions(this, 'Functions', { options, resources, secrets });
    new Mail(this, 'Mail', { options, config, reports: queues.of['mail-events'] });
    new Schedules(this, 'Schedules', { prefix, config, functions, dlq: queues.schedulesDlq });
    const alarms = new Alarms(this, 'Alarms', { options, config, queues, functions });
    new Dashboard(this, 'Dashboards', { prefix, queues, functions, storage, alarms });

    this.tell('IngestUrl', 'The URL to which SDKs and webhooks send events', functions.ingestUrl);
    this.tell('ApiUrl', 'The URL of the API and of unsubscribe links', functions.apiUrl);
    this.tell('DashboardUrl', 'The URL of the dashboard; its callback for the identity provider is this and sign-in/callback', functions.dashboardUrl);
    this.tell('TableName', 'The table; it stays when the stack is deleted', storage.table.tableName);
    this.tell('ArchiveBucket', 'The bucket of the archive; it stays when the stack is deleted', storage.archive.bucketName);
    this.tell('AlarmTopic', 'The topic of the alarms: subscribe to it', alarms.topic.topicArn);
  }

  private tell(id: string, description: string, value: string): void {
    new CfnOutput(this, id, { description, value });
  }
}
