import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { config, configWith, Rendered, shipped } from './support.ts';

const TWO = `
[[schedule]]
id = "sweep"
function = "sweep"
expression = "rate(1 hour)"

[[schedule]]
id = "mornings"
function = "sweep"
expression = "cron(0 6 * * ? *)"
time_zone = "Europe/Berlin"
`;

function schedule(rendered: Rendered, id: string) {
  return rendered.one('AWS::Scheduler::Schedule', 'Name', `perennial-${id}`).Properties;
}

describe('each schedule of schedules.toml', () => {
  it('is deployed with its expression and time zone, and there is no other', () => {
    const deployed = shipped.all('AWS::Scheduler::Schedule').map(({ Properties: of }) => [of.Name, of.ScheduleExpression, of.ScheduleExpressionTimezone, of.Target.Arn]);
    const written = config.schedules.map((of) => [`perennial-${of.id}`, of.expression, of.timeZone, `<Function perennial-${of.function}>`]);
    assert.ok(written.length > 0);
    assert.deepEqual(deployed, written);
  });

  it('is in the group of its stage', () => {
    assert.equal(shipped.all('AWS::Scheduler::ScheduleGroup')[0]?.Properties.Name, 'perennial');
    for (const { Properties } of shipped.all('AWS::Scheduler::Schedule')) assert.equal(Properties.GroupName, '<ScheduleGroup perennial>');
  });

  it('may be put off by a fifth of its rate, but by 5 minutes at most', () => {
    const window = (expression: string) => {
      const changed = configWith({ 'schedules.toml': () => TWO.replace('rate(1 hour)', expression) });
      return schedule(new Rendered({ config: changed }), 'sweep').FlexibleTimeWindow;
    };
    assert.deepEqual(window('rate(1 minute)'), { Mode: 'OFF' });
    assert.deepEqual(window('rate(10 minutes)'), { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 2 });
    assert.deepEqual(window('rate(2 days)'), { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 });
  });

  it('is retried until the next call is due, then moved to the dead-letter queue', () => {
    const rendered = new Rendered({ config: configWith({ 'schedules.toml': () => TWO }) });
    for (const id of ['sweep', 'mornings']) {
      const { RetryPolicy, DeadLetterConfig } = schedule(rendered, id).Target;
      assert.deepEqual(RetryPolicy, { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3600 });
      assert.deepEqual(DeadLetterConfig, { Arn: '<Queue perennial-schedules-dlq>' });
    }
    assert.deepEqual(schedule(rendered, 'mornings').FlexibleTimeWindow, { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 });
    assert.equal(schedule(rendered, 'mornings').ScheduleExpressionTimezone, 'Europe/Berlin');
  });
});

it('a call that the function fails is retried by Lambda, then moved to the same dead-letter queue', () => {
  const all = shipped.all('AWS::Lambda::EventInvokeConfig').map((resource) => resource.Properties);
  assert.deepEqual(all.map((of) => of.FunctionName).sort(), ['<Function perennial-report>', '<Function perennial-sweep>']);
  for (const of of all) {
    const called = config.schedules.filter((schedule) => of.FunctionName === `<Function perennial-${schedule.function}>`);
    assert.deepEqual(of, {
      FunctionName: of.FunctionName,
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 60 * Math.min(...called.map((schedule) => schedule.everyMinutes ?? 60)),
      DestinationConfig: { OnFailure: { Destination: '<Queue perennial-schedules-dlq>' } },
    });
  }
});

it('a config without schedules makes none, nor a role for them', () => {
  const rendered = new Rendered({ config: configWith({ 'schedules.toml': () => '' }) });
  assert.deepEqual(rendered.all('AWS::Scheduler::Schedule'), []);
  assert.equal(rendered.all('AWS::IAM::Role').length, 9);
});
