/** The dashboard of a stage: requests, processing, queues, failures and consumption. */

import { Duration } from 'aws-cdk-lib';
import { AlarmStatusWidget, Dashboard as CloudWatchDashboard, GraphWidget, type IMetric, type IWidget, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Alarms } from './alarms.ts';
import { type FunctionName, FUNCTIONS } from './config/index.ts';
import type { Functions } from './functions.ts';
import { COUNTED, own } from './metrics.ts';
import { QUEUES } from './flow.ts';
import type { Queues } from './queues.ts';
import type { Storage } from './storage.ts';

const PERIOD = Duration.minutes(5);
/** Columns of a row, as CloudWatch counts them. */
const ROW = 24;

/** The dashboard. */
export class Dashboard extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { prefix: string; queues: Queues; functions: Functions; storage: Storage; alarms: Alarms },
  ) {
    super(scope, id);
    const { queues, functions, storage, alarms } = props;
    const counted = <F extends FunctionName>(of: F, ...names: (typeof COUNTED)[F][number][]): IMetric[] =>
      names.map((name) => own(props.prefix, of, name, PERIOD));
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: props.prefix,
      defaultInterval: Duration.hours(12),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms.all], width: ROW, height: 4 })],
        row(
          graph('Events', counted('ingest', 'EventsAccepted', 'EventsRejected'), counted('score', 'EventsCounted', 'EventsDuplicate')),
          graph('People', counted('score', 'PeopleWritten', 'PeopleFailed', 'PeopleReshaped', 'Conflicts', 'MergesRefused')),
          graph('Timers', counted('sweep', 'TicksSent', 'TicksUnsent'), counted('score', 'ActionsPerformed')),
        ),
        row(
          graph('Messages', counted('deliver', 'MessagesSent', 'MessagesWithheld', 'MessagesPaused', 'MessagesRepeated')),
          graph('Delayed and failed messages', counted('deliver', 'MessagesDeferred', 'MessagesOverdue', 'MessagesExpired', 'MessagesFailed', 'MessagesUnknown', 'MessagesWaiting')),
          graph('Mail events', counted('deliver', 'MailEvents'), reputation()),
        ),
        row(
          graph('Accounts', counted('rollup', 'AccountsSeen', 'AccountsWritten', 'AccountsUnchanged', 'AccountsFailed', 'CrmUpdates')),
          graph('People woken by accounts', counted('rollup', 'PeopleWoken', 'EntriesRenewed', 'EntriesUnreadable', 'PeopleMeant')),
          graph('Files and rows imported', counted('import', 'FilesImported', 'FilesRefused'), counted('import', 'RowsImported', 'RowsRejected')),
          graph('Traits standardised, reports made', counted('ingest', 'TraitsChanged', 'TraitsDropped'), counted('report', 'ReportsMade')),
        ),
        row(
          graph('Oldest message, seconds', QUEUES.map((name) => queues.of[name].queue.metricApproximateAgeOfOldestMessage(as(name, Stats.MAXIMUM)))),
          graph('Messages waiting', QUEUES.map((name) => queues.of[name].queue.metricApproximateNumberOfMessagesVisible(as(name, Stats.MAXIMUM)))),
          graph('Dead letters', [
            ...QUEUES.map((name) => queues.of[name].dlq.metricApproximateNumberOfMessagesVisible(as(name, Stats.MAXIMUM))),
            queues.schedulesDlq.metricApproximateNumberOfMessagesVisible(as('schedules', Stats.MAXIMUM)),
          ]),
        ),
        row(
          graph('Calls', FUNCTIONS.map((name) => functions.of[name].metricInvocations(as(name, Stats.SUM)))),
          graph('Duration, 99th percentile', FUNCTIONS.map((name) => functions.of[name].metricDuration(as(name, Stats.percentile(99))))),
          graph(
            'Errors and throttles',
            FUNCTIONS.map((name) => functions.of[name].metricErrors(as(`${name} errors`, Stats.SUM))),
            FUNCTIONS.map((name) => functions.of[name].metricThrottles(as(`${name} throttles`, Stats.SUM))),
          ),
          graph('Sign-ins to the dashboard', counted('dashboard', 'SignedIn'), counted('dashboard', 'SignInsRefused', 'SignInsFailed')),
        ),
        row(
          graph('Table, units consumed', [
            storage.table.metricConsumedReadCapacityUnits(as('read', Stats.SUM)),
            storage.table.metricConsumedWriteCapacityUnits(as('write', Stats.SUM)),
          ]),
          graph('Configurations compiled', FUNCTIONS.map((name) => own(props.prefix, name, 'ConfigsCompiled', PERIOD).with({ label: name }))),
          graph('Concurrent executions', FUNCTIONS.map((name) => functions.of[name].metric('ConcurrentExecutions', as(name, Stats.MAXIMUM)))),
        ),
      ],
    });
  }
}

function as(label: string, statistic: string): { label: string; statistic: string; period: Duration } {
  return { label, statistic, period: PERIOD };
}

/** Shares, not counts: SES's own figures for the whole account. */
function reputation(): IMetric[] {
  const share = (metricName: string, label: string) =>
    new Metric({ namespace: 'AWS/SES', metricName, label, statistic: Stats.MAXIMUM, period: Duration.hours(1) });
  return [share('Reputation.BounceRate', 'bounces, share'), share('Reputation.ComplaintRate', 'complaints, share')];
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): (width: number) => IWidget {
  return (width) => new GraphWidget({ title, left, right, width, height: 6, leftYAxis: { min: 0 } });
}

/** Widgets side by side, equally wide. */
function row(...widgets: ((width: number) => IWidget)[]): IWidget[] {
  return widgets.map((widget) => widget(Math.floor(ROW / widgets.length)));
}
