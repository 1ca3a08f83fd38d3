/** Schedules: when the clock calls which function. */

import { Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Config, FunctionName, Schedule } from './config/index.ts';
import type { Functions } from './functions.ts';

/** Calls that are tried after a first one that failed: by EventBridge Scheduler to reach Lambda, and by Lambda to run the function. */
const RETRIES = { scheduler: 3, lambda: 2 };
/** Minutes after which a call of a cron or of a moment is too late. A rate's is too late when the next is there. */
const LATE = 60;
/** Minutes by which AWS may delay a cron's call, so that an account's calls do not all start at the full hour. */
const FLEXIBLE = 5;

/** The schedules of `schedules.toml`. */
export class Schedules extends Construct {
  constructor(scope: Construct, id: string, props: { prefix: string; config: Config; functions: Functions; dlq: Queue }) {
    super(scope, id);
    const { prefix, config, functions, dlq } = props;
    const stack = Stack.of(this);
    const called = [...new Set(config.schedules.map((schedule) => schedule.function))].sort();
    if (called.length === 0) return;

    const group = new CfnScheduleGroup(this, 'Group', { name: prefix });
    const groupArn = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: prefix });
    const role = new Role(this, 'Role', {
      description: `Lets the schedules of ${prefix} call their functions`,
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': groupArn } },
      }),
      inlinePolicies: {
        own: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:InvokeFunction'],
              resources: called.map((name) => functions.of[name].functionArn),
            }),
            new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [dlq.queueArn] }),
          ],
        }),
      },
    });

    for (const schedule of config.schedules) {
      const minutes = latest(schedule);
      new CfnSchedule(this, schedule.id, {
        name: `${prefix}-${schedule.id}`,
        groupName: group.ref,
        scheduleExpression: schedule.expression,
        scheduleExpressionTimezone: schedule.timeZone,
        flexibleTimeWindow: window(schedule),
        target: {
          arn: functions.of[schedule.function].functionArn,
          roleArn: role.roleArn,
          retryPolicy: { maximumRetryAttempts: RETRIES.scheduler, maximumEventAgeInSeconds: minutes * 60 },
          deadLetterConfig: { arn: dlq.queueArn },
        },
      });
    }
    for (const name of called) this.retried(name, props);
  }

  /** The scheduler hands its call over and is done: that the function fails is Lambda's to see. */
  private retried(name: FunctionName, { config, functions, dlq }: { config: Config; functions: Functions; dlq: Queue }): void {
    const minutes = config.schedules.filter((schedule) => schedule.function === name).map(latest);
    new CfnEventInvokeConfig(this, `${name}-retries`, {
      functionName: functions.of[name].functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: RETRIES.lambda,
      maximumEventAgeInSeconds: Math.min(...minutes) * 60,
      destinationConfig: { onFailure: { destination: dlq.queueArn } },
    });
  }
}

/** Minutes after which a call is not worth making any more: 1 to the 6 hours that Lambda keeps one. */
function latest({ everyMinutes }: Schedule): number {
  return Math.min(everyMinutes ?? LATE, 360);
}

/** The flexible window of a call: at most a fifth of a rate's minutes. */
function window({ everyMinutes }: Schedule): CfnSchedule.FlexibleTimeWindowProperty {
  const minutes = everyMinutes === undefined ? FLEXIBLE : Math.min(FLEXIBLE, Math.floor(everyMinutes / 5));
  return minutes < 1 ? { mode: 'OFF' } : { mode: 'FLEXIBLE', maximumWindowInMinutes: minutes };
}
