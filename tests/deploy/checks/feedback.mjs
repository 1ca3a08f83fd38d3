// SES reports are processed: SES -> SNS -> SQS -> deliver.
import assert from 'node:assert/strict';
import { FREE_MAIL, NEWS } from '../lib/config.mjs';
import { until } from '../lib/run.mjs';

const CLEO = { userId: 'cleo', email: `cleo@${FREE_MAIL}` };

/** The report of a permanent bounce, as SES publishes it. */
function bounce({ mail, profile, message, address }) {
  const timestamp = new Date().toISOString();
  return {
    eventType: 'Bounce',
    mail: {
      timestamp,
      messageId: mail.MessageId,
      source: mail.Source,
      destination: [address],
      headersTruncated: false,
      headers: [],
      commonHeaders: { to: [address] },
      tags: { 'ses:from-domain': ['perennial.example'], decision: [message.id], person: [profile.id], journey: [message.journey], step: ['0'] },
    },
    bounce: {
      feedbackId: 'feedback-1',
      bounceType: 'Permanent',
      bounceSubType: 'NoEmail',
      bouncedRecipients: [{ emailAddress: address, action: 'failed', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' }],
      timestamp,
      reportingMTA: 'dsn; a.smtp-out.amazonses.com',
    },
  };
}

export default function feedback(check) {
  check('a bounce that is published to the topic stops all further mail to the address', async ({ stage }) => {
    const { userId, email: address } = CLEO;
    await stage.post('identify', { userId, messageId: 'cleo-1', traits: { email: address } });
    await stage.post('track', { userId, messageId: 'cleo-2', event: NEWS });
    const [mail] = await until('the first mail', async () => {
      const mails = await stage.mailsTo(address);
      return mails.length > 0 && mails;
    });
    const profile = await stage.profileOnce(userId, 'the mail is sent', (found) => found.messages.some(({ state }) => state === 'sent'));
    const message = profile.messages.find(({ state }) => state === 'sent');

    // Published by the test: ministack stores SES's event destinations but never publishes to them. The template is checked for them.
    const TopicArn = `arn:aws:sns:${stage.emulator.environment.AWS_REGION}:000000000000:${stage.name}-mail-events`;
    await stage.aws.topics('Publish', { TopicArn, Message: JSON.stringify(bounce({ mail, profile, message, address })) });
    await stage.profileOnce(userId, 'the bounce is known', (found) =>
      found.counts['Email Bounced'] === 1 && found.messages.some(({ id, state }) => id === message.id && state === 'bounced'));

    await stage.post('track', { userId, messageId: 'cleo-3', event: NEWS });
    await stage.profileOnce(userId, 'the second mail is withheld', (found) => found.messages.some(({ state }) => state === 'suppressed'));
    assert.equal((await stage.mailsTo(address)).length, 1);
  });
}
