// Diagnostic output when a check fails.
import { all } from './aws.mjs';
import { FUNCTIONS } from './packages.mjs';

const QUEUES = ['events', 'incoming', 'imports', 'messages', 'essential', 'accounts', 'mail-events', 'schedules'];
/** The number of lines of a function's log: the last of those with errors or warnings. */
const LINES = 12;
const TROUBLE = /"level":"(ERROR|WARN)"|\b(ERROR|WARN)\b|panicked|AccessDenied|Runtime\./;

/** The lines that a function wrote, the oldest first. */
export async function logOf(stage, name) {
  const events = await all(stage.aws.logs, 'FilterLogEvents', 'events', {
    input: { logGroupName: `/aws/lambda/${stage.name}-${name}` },
    next: 'nextToken',
  });
  return events.sort((a, b) => a.timestamp - b.timestamp).map((event) => event.message);
}

/** The state of a stage, as text: its queues, Lambda's last results for them, errors of functions, and ministack itself. */
export async function diagnosis(stage) {
  const part = async (title, look) => {
    try {
      return `${title}\n${await look()}`;
    } catch (error) {
      return `${title}\n  not to be had: ${error.message}`;
    }
  };
  const indented = (lines) => (lines.length === 0 ? '  nothing' : lines.map((line) => `  ${line.trimEnd()}`).join('\n'));
  const queues = async () => {
    const names = QUEUES.flatMap((queue) => (queue === 'schedules' ? [`${queue}-dlq`] : [queue, `${queue}-dlq`]));
    const depths = await Promise.all(names.map(async (name) => ({ name, ...(await stage.depth(name)) })));
    return indented(depths.filter(({ waiting, taken }) => waiting + taken > 0).map((depth) => JSON.stringify(depth)));
  };
  const mappings = async () => {
    const found = await all(stage.aws.functions, 'ListEventSourceMappings', 'EventSourceMappings', { next: 'NextMarker', token: 'Marker' });
    const own = found.filter((mapping) => mapping.FunctionArn.includes(`:${stage.name}-`));
    return indented(own.map((mapping) => `${mapping.EventSourceArn.split(':').at(-1)}: ${mapping.LastProcessingResult}`));
  };
  const parts = await Promise.all([
    part('messages in queues', queues),
    part('what Lambda last said of them', mappings),
    ...FUNCTIONS.map((name) =>
      part(`trouble in the log of ${name}`, async () => indented((await logOf(stage, name)).filter((line) => TROUBLE.test(line)).slice(-LINES))),
    ),
    part('ministack', () => indented(stage.emulator.log().split('\n'))),
  ]);
  return parts.join('\n');
}
