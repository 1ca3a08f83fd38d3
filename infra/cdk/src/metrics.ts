/** The functions' own metrics, which they write into their logs in the embedded metric format. */

import type { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { FunctionName } from './config/index.ts';

/** The namespace that `perennial_lambda_kit::metrics` writes to. */
const NAMESPACE = 'Perennial';

/** The metrics of each function: its README and `handler.rs` describe them. */
export const COUNTED = {
  ingest: ['EventsAccepted', 'EventsRejected', 'TraitsChanged', 'TraitsDropped', 'ConfigsCompiled'],
  score: ['EventsCounted', 'EventsDuplicate', 'PeopleWritten', 'PeopleFailed', 'ActionsPerformed', 'Conflicts', 'PeopleReshaped', 'MergesRefused', 'ConfigsCompiled'],
  sweep: ['TicksSent', 'TicksUnsent', 'ConfigsCompiled'],
  report: ['ReportsMade', 'ConfigsCompiled'],
  rollup: ['AccountsSeen', 'AccountsWritten', 'AccountsUnchanged', 'AccountsFailed', 'PeopleWoken', 'EntriesRenewed', 'EntriesUnreadable', 'PeopleMeant', 'CrmUpdates', 'ConfigsCompiled'],
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
    'ConfigsCompiled',
  ],
  api: ['ConfigsCompiled'],
  dashboard: ['SignedIn', 'SignInsRefused', 'SignInsFailed', 'ConfigsCompiled'],
  import: ['FilesImported', 'FilesRefused', 'RowsImported', 'RowsRejected', 'ConfigsCompiled'],
} as const satisfies Record<FunctionName, readonly string[]>;

/** The sum of a metric over each `period`, for the stage of `prefix`. */
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
