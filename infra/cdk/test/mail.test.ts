import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { config, configWith, read, Rendered, shipped } from './support.ts';

const SET = config.mail.configurationSet;
const TOPIC = '<Topic perennial-mail-events>';

describe('what becomes of mails', () => {
  const [destination] = shipped.all('AWS::SES::ConfigurationSetEventDestination');

  it('is published of mails that are sent with the configuration set of channels.toml', () => {
    assert.equal(shipped.all('AWS::SES::ConfigurationSet')[0]?.Properties.Name, SET);
    assert.equal(destination?.Properties.ConfigurationSetName, `<ConfigurationSet ${SET}>`);
    assert.equal(destination?.Properties.EventDestination.Enabled, true);
    assert.deepEqual(destination?.Properties.EventDestination.SnsDestination, { TopicARN: TOPIC });
  });

  it('is of every kind that the functions know, and of no other', () => {
    const known = /pub const fn as_str|pub fn as_str[\s\S]*?match self \{([\s\S]*?)\n        \}/.exec(read('shared/contracts/src/ses.rs'))?.[1] ?? '';
    const kinds = [...known.matchAll(/=> "([A-Za-z]+)"/g)].map((match) => (match[1] ?? '').replace(/^./, (first) => first.toLowerCase()));
    assert.ok(kinds.length >= 11, 'the kinds are found');
    // "Not spam" comes as a complaint.
    const published = kinds.filter((kind) => kind !== 'notSpam');
    assert.deepEqual([...destination?.Properties.EventDestination.MatchingEventTypes].sort(), published.sort());
  });

  it('comes as SES wrote it into the queue that deliver reads, or into its dead letters', () => {
    const [subscription, ...others] = shipped.all('AWS::SNS::Subscription').map((resource) => resource.Properties);
    assert.equal(others.length, 0);
    assert.deepEqual(subscription, {
      TopicArn: TOPIC,
      Protocol: 'sqs',
      Endpoint: '<Queue perennial-mail-events>',
      RawMessageDelivery: true,
      RedrivePolicy: { deadLetterTargetArn: '<Queue perennial-mail-events-dlq>' },
    });
    for (const queue of ['<Queue perennial-mail-events>', '<Queue perennial-mail-events-dlq>']) {
      const policy = shipped.all('AWS::SQS::QueuePolicy').find((resource) => resource.Properties.Queues.includes(queue));
      const senders = policy?.Properties.PolicyDocument.Statement.filter((statement: { Effect: string }) => statement.Effect === 'Allow');
      assert.deepEqual(senders, [
        {
          Effect: 'Allow',
          Action: 'sqs:SendMessage',
          Principal: { Service: 'sns.amazonaws.com' },
          Resource: queue,
          Condition: { ArnEquals: { 'aws:SourceArn': TOPIC } },
        },
      ]);
    }
  });

  it('can be published by SES alone, for this set of this account, and only by TLS', () => {
    const policy = shipped.all('AWS::SNS::TopicPolicy').find((resource) => resource.Properties.Topics.includes(TOPIC));
    const [tls, publish, ...others] = policy?.Properties.PolicyDocument.Statement;
    assert.equal(others.length, 0);
    assert.deepEqual([tls.Effect, tls.Condition], ['Deny', { Bool: { 'aws:SecureTransport': 'false' } }]);
    assert.deepEqual([publish.Action, publish.Principal], ['sns:Publish', { Service: 'ses.amazonaws.com' }]);
    assert.deepEqual(publish.Condition.StringEquals, {
      'aws:SourceAccount': '<AccountId>',
      'aws:SourceArn': `arn:<Partition>:ses:<Region>:<AccountId>:configuration-set/${SET}`,
    });
  });

  it('is connected after the right to publish is there, or SES would refuse', () => {
    const policies = Object.entries(shipped.resources).filter(([, resource]) => resource.Type === 'AWS::SNS::TopicPolicy').map(([id]) => id);
    assert.ok(destination?.DependsOn?.some((id) => policies.includes(id)));
  });
});

describe('the identity', () => {
  it('is the account\'s own unless it is asked for', () => {
    assert.deepEqual(shipped.all('AWS::SES::EmailIdentity'), []);
  });

  it('is the domain of the sender, with the records that verify it', () => {
    const rendered = new Rendered({ mailIdentity: 'create' });
    assert.deepEqual(rendered.all('AWS::SES::EmailIdentity').map((resource) => resource.Properties.EmailIdentity), [config.mail.domain]);
    assert.deepEqual(Object.keys(rendered.outputs).filter((id) => id.startsWith('Dkim')), ['Dkim1', 'Dkim2', 'Dkim3']);
  });
});

it('the configuration set has the name that channels.toml gives it, which is the one that mails are sent with', () => {
  const changed = configWith({ 'channels.toml': (text) => text.replace(`configuration_set = "${SET}"`, 'configuration_set = "other"') });
  const rendered = new Rendered({ config: changed });
  assert.equal(rendered.all('AWS::SES::ConfigurationSet')[0]?.Properties.Name, 'other');
  assert.ok(rendered.text.includes(':configuration-set/other'));
  assert.ok(!rendered.text.includes(`:configuration-set/${SET}"`));
});
