// AWS's own SDK clients, as an administrator of the account has them.
import { REGION } from './emulator.mjs';
import { load } from './paths.mjs';

// Suppresses the SDK's warning about the end of Node 20 support. Its version is pinned.
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
 * Returns a function of each service: `aws.queues('GetQueueUrl', {…})` sends that command. `environment` contains credentials, the endpoint
 * and the trusted authorities.
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

/** All pages of a list: `field` of each response, where `next` of one is `token` of the following request. */
export async function all(service, command, field, { input = {}, next = 'NextToken', token = next } = {}) {
  const found = [];
  let page;
  do {
    page = await service(command, { ...input, ...(page?.[next] && { [token]: page[next] }) });
    found.push(...(page[field] ?? []));
  } while (page[next]);
  return found;
}
