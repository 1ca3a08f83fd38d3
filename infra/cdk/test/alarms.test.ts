import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FUNCTIONS } from '../src/config/index.ts';
import { COUNTED } from '../src/metrics.ts';
import { config, configWith, read, Rendered, ROOT, shipped } from './support.ts';

const QUEUES = ['events', 'incoming', 'imports', 'messages', 'essential', 'accounts', 'mail-events'];

function alarms(rendered: Rendered) {
  return rendered.all('AWS::CloudWatch::Alarm').map((resource) => resource.Properties);
}

function alarm(rendered: Rendered, name: string) {
  const [only] = alarms(rendered).filter((of) => of.AlarmName === `perennial-${name}`);
  assert.ok(only, name);
  return only;
}

function limit(name: string, rendered = shipped) {
  const { ComparisonOperator, Threshold, Period, DatapointsToAlarm, EvaluationPeriods, TreatMissingData } = alarm(rendered, name);
  return [ComparisonOperator, Threshold, Period, `${DatapointsToAlarm} of ${EvaluationPeriods}`, TreatMissingData];
}

function metric(name: string, rendered = shipped) {
  const { Namespace, MetricName, Dimensions, Statistic } = alarm(rendered, name);
  return [Namespace, MetricName, (Dimensions ?? []).map((of: { Value: string }) => of.Value).join(), Statistic];
}

describe('alarms', () => {
  const names = [
    ...QUEUES.flatMap((name) => [`${name}-dlq`, `${name}-late`]),
    'schedules-dlq',
    ...FUNCTIONS.flatMap((name) => [`${name}-errors`, `${name}-throttles`]),
    'sweep-silent',
    'mail-bounces',
    'mail-complaints',
    'journeys-paused',
    'mails-in-doubt',
    'messages-overdue',
    'messages-expired',
  ];

  it('are these', () => {
    assert.deepEqual(alarms(shipped).map((of) => of.AlarmName).sort(), names.map((name) => `perennial-${name}`).sort());
  });

  it('have a line each in the README', () => {
    const lines = read('infra/README.md').split('\n').filter((line) => line.startsWith('| `'));
    for (const name of names) {
      const general = name.replace(/^(events|incoming|imports|messages|essential|accounts|mail-events)-(dlq|late)$/, 'QUEUE-$2').replace(/^.*-(errors|throttles|silent)$/, (_, kind) => (kind === 'silent' ? 'SCHEDULE-silent' : `FUNCTION-${kind}`));
      assert.ok(lines.some((line) => line.startsWith(`| \`${name}\``) || line.startsWith(`| \`${general}\``)), name);
    }
  });

  it('all go to the topic, when they ring and when they are over', () => {
    for (const of of alarms(shipped)) {
      assert.deepEqual([of.AlarmActions, of.OKActions], [['<Topic perennial-alarms>'], ['<Topic perennial-alarms>']], of.AlarmName);
    }
  });

  it('ring at the first dead letter', () => {
    for (const name of [...QUEUES, 'schedules']) {
      assert.deepEqual(metric(`${name}-dlq`), ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', `<Queue perennial-${name}-dlq>`, 'Maximum']);
      assert.deepEqual(limit(`${name}-dlq`), ['GreaterThanThreshold', 0, 60, '1 of 1', 'notBreaching']);
    }
  });

  it('ring when the oldest message of a queue waits too long', () => {
    const minutes = QUEUES.map((name) => {
      assert.deepEqual(metric(`${name}-late`), ['AWS/SQS', 'ApproximateAgeOfOldestMessage', `<Queue perennial-${name}>`, 'Maximum']);
      return [name, limit(`${name}-late`)[1] / 60];
    });
    const resend = config.mail.resendUnknownMinutes;
    assert.deepEqual(minutes, [['events', 15], ['incoming', 720], ['imports', 720], ['messages', Math.max(60, 2 * resend)], ['essential', 20], ['accounts', 30], ['mail-events', resend / 2]]);
  });

  it('ring over late reports long before a mail is sent again for want of one', () => {
    const changed = configWith({ 'channels.toml': (text) => text.replace(/resend_unknown_after_minutes = \d+/, 'resend_unknown_after_minutes = 90') });
    const rendered = new Rendered({ config: changed });
    assert.equal(limit('mail-events-late', rendered)[1], 45 * 60);
    assert.equal(limit('messages-late', rendered)[1], 180 * 60);
  });

  it('ring over errors and throttles that are no accident', () => {
    for (const name of FUNCTIONS) {
      assert.deepEqual(metric(`${name}-errors`), ['AWS/Lambda', 'Errors', `<Function perennial-${name}>`, 'Sum']);
      assert.deepEqual(metric(`${name}-throttles`), ['AWS/Lambda', 'Throttles', `<Function perennial-${name}>`, 'Sum']);
      for (const kind of ['errors', 'throttles']) {
        assert.deepEqual(limit(`${name}-${kind}`), ['GreaterThanThreshold', 0, 300, '2 of 3', 'notBreaching']);
      }
    }
  });

  it('ring when a schedule stops calling, which has no figures at all', () => {
    const changed = configWith({ 'schedules.toml': () => '[[schedule]]\nid = "hourly"\nfunction = "sweep"\nexpression = "rate(1 hour)"\n' });
    const rendered = new Rendered({ config: changed });
    assert.deepEqual(metric('hourly-silent', rendered), ['AWS/Lambda', 'Invocations', '<Function perennial-sweep>', 'Sum']);
    assert.deepEqual(limit('hourly-silent', rendered), ['LessThanThreshold', 1, 3 * 3600, '1 of 1', 'breaching']);
  });

  it('ring when SES is about to put the account under review, at the shares of channels.toml', () => {
    const changed = configWith({
      'channels.toml': (text) => text.replace(/bounce_percent = \S+/, 'bounce_percent = 2.5').replace(/complaint_percent = \S+/, 'complaint_percent = 0.05'),
    });
    const rendered = new Rendered({ config: changed });
    assert.deepEqual(metric('mail-bounces', rendered), ['AWS/SES', 'Reputation.BounceRate', '', 'Maximum']);
    assert.deepEqual(metric('mail-complaints', rendered), ['AWS/SES', 'Reputation.ComplaintRate', '', 'Maximum']);
    assert.deepEqual(limit('mail-bounces', rendered).slice(0, 2), ['GreaterThanOrEqualToThreshold', 0.025]);
    assert.deepEqual(limit('mail-complaints', rendered).slice(0, 2), ['GreaterThanOrEqualToThreshold', 0.0005]);
  });

  it('ring when a journey is paused, and when a message stays in doubt', () => {
    assert.deepEqual(metric('journeys-paused'), ['Perennial', 'MessagesPaused', 'perennial-deliver', 'Sum']);
    assert.deepEqual(metric('mails-in-doubt'), ['Perennial', 'MessagesUnknown', 'perennial-deliver', 'Sum']);
  });

  it('ring when messages wait for an hour, and when they became too old', () => {
    assert.deepEqual(metric('messages-overdue'), ['Perennial', 'MessagesOverdue', 'perennial-deliver', 'Sum']);
    assert.deepEqual(metric('messages-expired'), ['Perennial', 'MessagesExpired', 'perennial-deliver', 'Sum']);
    assert.deepEqual(limit('messages-overdue'), ['GreaterThanThreshold', 0, 300, '1 of 1', 'notBreaching']);
  });

  it('are sent by mail to whom the command line names', () => {
    const rendered = new Rendered({ alarmMail: 'ops@example.com' });
    const mails = rendered.all('AWS::SNS::Subscription').filter((of) => of.Properties.Protocol === 'email');
    assert.deepEqual(mails.map((of) => [of.Properties.TopicArn, of.Properties.Endpoint]), [['<Topic perennial-alarms>', 'ops@example.com']]);
  });
});

/** The names of metrics that several functions write. */
const CONSTANTS = new Map([...read('shared/lambda-kit/src/metrics.rs').matchAll(/const ([A-Z_]+): &str = "([A-Za-z]+)"/g)].map(([, constant, name]) => [constant, name]));

describe('metrics of our own', () => {
  it('are those that the functions write', () => {
    for (const name of FUNCTIONS) {
      const directory = join(ROOT, 'functions', name, 'src');
      const code = readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.rs') && !file.includes('test'))
        .map((file) => read(`functions/${name}/src/${file}`))
        .filter((text) => /\bMetrics::new\(/.test(text));
      // A name, or a constant of lambda-kit. Other constants are those of counters in the table.
      const written = code.flatMap((text) =>
        [...text.matchAll(/\.(?:count|millis|bytes)\(\s*(?:"([A-Za-z]+)"|([A-Z_]+))/g)].map(([, name, constant]) => name ?? CONSTANTS.get(constant ?? '')),
      );
      assert.deepEqual([...new Set(written.filter((metric) => metric !== undefined))].sort(), [...COUNTED[name]].sort(), name);
    }
  });

  it('are all on the dashboard', () => {
    const [dashboard] = shipped.all('AWS::CloudWatch::Dashboard').map((resource) => resource.Properties);
    assert.equal(dashboard.DashboardName, 'perennial');
    const shown = JSON.stringify(dashboard.DashboardBody);
    for (const name of FUNCTIONS) {
      for (const metric of COUNTED[name]) assert.ok(shown.includes(metric), metric);
      assert.ok(shown.includes(`<Function perennial-${name}>`), name);
    }
    for (const name of QUEUES) assert.ok(shown.includes(`<Queue perennial-${name}-dlq>`) || shown.includes(`${name}-dlq`), name);
  });
});
