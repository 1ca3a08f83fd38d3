/** Alarms. infra/README.md has a line for each: its meaning, and what to do. */

import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { type Config, FUNCTIONS } from './config/index.ts';
import type { Functions } from './functions.ts';
import { own } from './metrics.ts';
import type { Options } from './options.ts';
import { type QueueName, QUEUES } from './flow.ts';
import type { Queues } from './queues.ts';

const FIVE_MINUTES = Duration.minutes(5);

/** The condition of an alarm. */
interface Limit {
  /** Its meaning, for the mail. */
  readonly about: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** The wrong side of the threshold; default: above it. `silent` is below it, or without any data. */
  readonly wrong?: 'reached' | 'silent';
  /** Periods out of how many that have to be over the limit; default: one of one. */
  readonly of?: readonly [number, number];
}

const WRONG = {
  above: ComparisonOperator.GREATER_THAN_THRESHOLD,
  reached: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  silent: ComparisonOperator.LESS_THAN_THRESHOLD,
};

/** All alarms, and their topic. */
export class Alarms extends Construct {
  readonly topic: Topic;
  readonly all: readonly Alarm[];

  constructor(
    scope: Construct,
    id: string,
    props: { options: Options; config: Config; queues: Queues; functions: Functions },
  ) {
    super(scope, id);
    this.topic = this.createTopic(props.options);
    const limits = { ...queueLimits(props), ...functionLimits(props), ...scheduleLimits(props), ...mailLimits(props) };
    const action = new SnsAction(this.topic);
    this.all = Object.entries(limits).map(([name, limit]) => {
      const [datapointsToAlarm, evaluationPeriods] = limit.of ?? [1, 1];
      const alarm = new Alarm(this, name, {
        alarmName: `${props.options.prefix}-${name}`,
        alarmDescription: limit.about,
        metric: limit.metric,
        threshold: limit.threshold,
        comparisonOperator: WRONG[limit.wrong ?? 'above'],
        datapointsToAlarm,
        evaluationPeriods,
        treatMissingData: limit.wrong === 'silent' ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
  }

  private createTopic(options: Options): Topic {
    const stack = Stack.of(this);
    const topic = new Topic(this, 'Topic', { topicName: `${options.prefix}-alarms`, enforceSSL: true });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    );
    if (options.alarmMail) topic.addSubscription(new EmailSubscription(options.alarmMail));
    return topic;
  }
}

function queueLimits({ config, queues }: { config: Config; queues: Queues }): Record<string, Limit> {
  const resend = config.mail.resendUnknownMinutes;
  // Minutes. A message that waits is a new one every quarter of an hour, so an old one is not being received. A report has to be through before its mail
  // counts as lost. Essential messages are to be out within minutes. Files may wait
  // for each other, and an import may take hours.
  const oldest: Readonly<Record<QueueName, number>> = {
    events: 15,
    incoming: 12 * 60,
    imports: 12 * 60,
    messages: Math.max(60, 2 * resend),
    essential: 20,
    accounts: 30,
    'mail-events': resend === 0 ? 15 : Math.max(1, Math.floor(resend / 2)),
  };
  const limits: Record<string, Limit> = {};
  for (const name of QUEUES) {
    const { queue, dlq } = queues.of[name];
    limits[`${name}-dlq`] = {
      about: `Dead letters of ${name}: messages exhausted their retries`,
      metric: dlq.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
      threshold: 0,
    };
    limits[`${name}-late`] = {
      about: `The oldest message of ${name} waits for more than ${oldest[name]} minutes`,
      metric: queue.metricApproximateAgeOfOldestMessage({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM }),
      threshold: oldest[name] * 60,
    };
  }
  limits['schedules-dlq'] = {
    about: "A schedule's call of its function failed after all retries",
    metric: queues.schedulesDlq.metricApproximateNumberOfMessagesVisible({
      period: Duration.minutes(1),
      statistic: Stats.MAXIMUM,
    }),
    threshold: 0,
  };
  return limits;
}

function functionLimits({ functions }: { functions: Functions }): Record<string, Limit> {
  const limits: Record<string, Limit> = {};
  for (const name of FUNCTIONS) {
    const settings = { period: FIVE_MINUTES, statistic: Stats.SUM };
    limits[`${name}-errors`] = {
      about: `Calls of ${name} failed or timed out; partial batch failures are not counted`,
      metric: functions.of[name].metricErrors(settings),
      threshold: 0,
      of: [2, 3],
    };
    limits[`${name}-throttles`] = {
      about: `Calls of ${name} were throttled: its concurrency, or the account's, is used up`,
      metric: functions.of[name].metricThrottles(settings),
      threshold: 0,
      of: [2, 3],
    };
  }
  return limits;
}

/** Nothing else shows that a schedule has stopped: nobody waits for its calls. */
function scheduleLimits({ config, functions }: { config: Config; functions: Functions }): Record<string, Limit> {
  const limits: Record<string, Limit> = {};
  for (const schedule of config.schedules) {
    // CloudWatch looks a day back at most.
    const minutes = Math.max(15, 3 * (schedule.everyMinutes ?? Infinity));
    if (minutes > 24 * 60) continue;
    limits[`${schedule.id}-silent`] = {
      about: `The schedule ${schedule.id} has not called ${schedule.function} for ${minutes} minutes`,
      metric: functions.of[schedule.function].metricInvocations({ period: Duration.minutes(minutes), statistic: Stats.SUM }),
      threshold: 1,
      wrong: 'silent',
    };
  }
  return limits;
}

function mailLimits({ options, config }: { options: Options; config: Config }): Record<string, Limit> {
  // SES knows one reputation for all mails of an account and region, and acts on it.
  const reputation = (metricName: string) =>
    new Metric({ namespace: 'AWS/SES', metricName, period: Duration.hours(1), statistic: Stats.MAXIMUM });
  return {
    'mail-bounces': {
      about: "The account's bounce rate is so high that SES may put it under review",
      metric: reputation('Reputation.BounceRate'),
      threshold: config.mail.bounceLimit,
      wrong: 'reached',
    },
    'mail-complaints': {
      about: "The account's complaint rate is so high that SES may put it under review",
      metric: reputation('Reputation.ComplaintRate'),
      threshold: config.mail.complaintLimit,
      wrong: 'reached',
    },
    'journeys-paused': {
      about: 'A journey is paused because too many of its mails bounced or caused complaints',
      metric: own(options.prefix, 'deliver', 'MessagesPaused', FIVE_MINUTES),
      threshold: 0,
    },
    'messages-overdue': {
      about: 'Messages have waited for more than an hour: a receiver is unavailable, or the rate or quota of SES is too low',
      metric: own(options.prefix, 'deliver', 'MessagesOverdue', FIVE_MINUTES),
      threshold: 0,
    },
    'messages-expired': {
      about: "Messages expired: they exceeded their journey's max_age_days before they could be sent",
      metric: own(options.prefix, 'deliver', 'MessagesExpired', FIVE_MINUTES),
      threshold: 0,
    },
    'mails-in-doubt': {
      about: 'The delivery outcome of a message is unknown, and it is not sent again',
      metric: own(options.prefix, 'deliver', 'MessagesUnknown', FIVE_MINUTES),
      threshold: 0,
    },
  };
}
