import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Rendered } from './support.ts';

/** The properties that are names within an account, by which two stages could collide. */
const NAMES: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SES::ConfigurationSet': 'Name',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::Scheduler::ScheduleGroup': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
};
/** Types without a name of their own in the account. */
const NAMELESS = [
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Url',
  'AWS::S3::BucketPolicy',
  'AWS::SES::ConfigurationSetEventDestination',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
];

function names(rendered: Rendered): string[] {
  return Object.values(rendered.resources).flatMap(({ Type, Properties }) => {
    const key = NAMES[Type];
    assert.ok(key || NAMELESS.includes(Type), `${Type} is new: has it a name that two stages could share?`);
    const name = key && Properties[key];
    return typeof name === 'string' ? [`${Type} ${name}`] : [];
  });
}

describe('two stages of one account', () => {
  const dev = names(new Rendered({ stage: 'dev' }));
  const live = names(new Rendered({ stage: 'live' }));

  it('share no name', () => {
    assert.ok(dev.length > 60);
    assert.deepEqual(dev.filter((name) => live.includes(name)), []);
  });

  it('carry the stage in every name', () => {
    for (const name of dev) assert.ok(name.includes('perennial-dev'), name);
  });
});
