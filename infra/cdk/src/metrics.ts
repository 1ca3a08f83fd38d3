/** The functions' own metrics, which they write into their logs in the embedded metric format. */

import type { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { FunctionName } from './config/index.ts';

/** The namespace that `perennial_lambda_kit::metrics` writes to. */
const NAMESPACE = 'Perennial';

/** What each function counts: its README and `handler.rs` say what each means. */
export const COUNTED = {
  ingest: ['EventsAccepted', 'EventsRejected', 'TraitsChanged', 'TraitsDropped'],
  score: ['EventsCounted', 'EventsDuplicate', 'PeopleWritten', 'PeopleFailed', 'ActionsPerformed', 'Conflicts', 'PeopleReshaped', 'MergesRefused'],
  sweep: ['TicksSent', 'TicksUnsent'],
  rollup: ['AccountsSeen', 'AccountsWritten', 'AccountsUnchanged', 'AccountsFailed', 'PeopleWoken', 'EntriesRenewed', 'EntriesUnreadable', 'PeopleMeant', 'CrmUpdates'],
  deliver: [
    'MessagesSent',
    'MessagesWithheld',
    'MessagesPaused',
    'MessagesFailed',
    'MessagesUnknown',
    'MessagesWaiting',
    'MessagesDeferred',
    'MessagesOverdue',
    'MessagesExpired',
    'MessagesRepeated',
    'MailEvents',
  ],
  api: [],
} as const satisfies Record<FunctionName, readonly string[]>;

/** The sum of one of them over each `period`, of the stage that `prefix` names. */
export function own<F extends FunctionName>(
  prefix: string,
  of: F,
  metricName: (typeof COUNTED)[F][number],
  period: Duration,
): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName,
    dimensionsMap: { function: `${prefix}-${of}` },
    statistic: Stats.SUM,
    period,
  });
}
