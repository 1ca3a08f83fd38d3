// The resources of the account.
import { all } from './aws.mjs';

/** Every resource of the kinds in a stage, as `kind name`, sorted. */
export async function inventory(aws) {
  const kinds = {
    alarm: async () => (await all(aws.alarms, 'DescribeAlarms', 'MetricAlarms')).map((alarm) => alarm.AlarmName),
    bucket: async () => ((await aws.objects('ListBuckets')).Buckets ?? []).map((bucket) => bucket.Name),
    'configuration set': async () => all(aws.mails, 'ListConfigurationSets', 'ConfigurationSets'),
    dashboard: async () => (await all(aws.alarms, 'ListDashboards', 'DashboardEntries')).map((entry) => entry.DashboardName),
    'event source mapping': async () =>
      (await all(aws.functions, 'ListEventSourceMappings', 'EventSourceMappings', { next: 'NextMarker', token: 'Marker' })).map(
        (mapping) => `${mapping.EventSourceArn} -> ${mapping.FunctionArn}`,
      ),
    function: async () =>
      (await all(aws.functions, 'ListFunctions', 'Functions', { next: 'NextMarker', token: 'Marker' })).map((found) => found.FunctionName),
    'log group': async () =>
      (await all(aws.logs, 'DescribeLogGroups', 'logGroups', { next: 'nextToken' })).map((group) => group.logGroupName),
    'mail identity': async () => (await all(aws.mails, 'ListEmailIdentities', 'EmailIdentities')).map((found) => found.IdentityName),
    policy: async () =>
      (await all(aws.roles, 'ListPolicies', 'Policies', { input: { Scope: 'Local' }, next: 'Marker' })).map((policy) => policy.PolicyName),
    queue: async () => (await all(aws.queues, 'ListQueues', 'QueueUrls')).map((url) => url.split('/').at(-1)),
    role: async () => (await all(aws.roles, 'ListRoles', 'Roles', { next: 'Marker' })).map((role) => role.RoleName),
    schedule: async () => (await all(aws.schedules, 'ListSchedules', 'Schedules')).map((schedule) => schedule.Name),
    'schedule group': async () => (await all(aws.schedules, 'ListScheduleGroups', 'ScheduleGroups')).map((group) => group.Name),
    secret: async () => (await all(aws.secrets, 'ListSecrets', 'SecretList')).map((secret) => secret.Name),
    stack: async () =>
      (await all(aws.stacks, 'DescribeStacks', 'Stacks')).map((stack) => stack.StackName),
    subscription: async () => (await all(aws.topics, 'ListSubscriptions', 'Subscriptions')).map((found) => `${found.TopicArn} -> ${found.Endpoint}`),
    table: async () => all(aws.tables, 'ListTables', 'TableNames', { next: 'LastEvaluatedTableName', token: 'ExclusiveStartTableName' }),
    topic: async () => (await all(aws.topics, 'ListTopics', 'Topics')).map((topic) => topic.TopicArn),
  };
  const found = await Promise.all(
    Object.entries(kinds).map(async ([kind, list]) => (await list()).map((name) => `${kind} ${name}`)),
  );
  return found.flat().sort();
}
