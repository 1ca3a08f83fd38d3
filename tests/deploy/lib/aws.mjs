// AWS's own SDK clients, as an administrator of the account has them.
import { REGION } from './emulator.mjs';
import { load } from './paths.mjs';

// The SDK would tell at every start that it will not work with Node 20 one day. Its version is pinned.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const names = {
  alarms: 'cloudwatch',
  functions: 'lambda',
  logs: 'cloudwatch-logs',
  mails: 'sesv2',
  objects: 's3',
  queues: 'sqs',
  roles: 'iam',
  schedules: 'scheduler',
  secrets: 'secrets-manager',
  stacks: 'cloudformation',
  tables: 'dynamodb',
  topics: 'sns',
};

/**
 * A function of each service: `aws.queues('GetQueueUrl', {…})` sends that command. Credentials come from `environment`, as do the endpoint
 * and whom to trust.
 */
export function services({ url, agent, environment }) {
  const one = (service) => {
    const sdk = load(`@aws-sdk/client-${service}`);
    const Client = Object.entries(sdk).find(([name]) => name.endsWith('Client') && !name.startsWith('__'))[1];
    const client = new Client({
      endpoint: url,
      region: REGION,
      credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
      requestHandler: { httpsAgent: agent },
    });
    return (command, input = {}) => client.send(new sdk[`${command}Command`](input));
  };
  return Object.fromEntries(Object.entries(names).map(([name, service]) => [name, one(service)]));
}

/** All pages of a list: `field` of each answer, where `next` of one is `token` of the request for the following. */
export async function all(service, command, field, { input = {}, next = 'NextToken', token = next } = {}) {
  const found = [];
  let page;
  do {
    page = await service(command, { ...input, ...(page?.[next] && { [token]: page[next] }) });
    found.push(...(page[field] ?? []));
  } while (page[next]);
  return found;
}
