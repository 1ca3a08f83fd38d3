// The operator of a stage: an IAM user with the permissions of the CLI's commands, and nothing else.
import { batchesOf } from './batches.mjs';
import { ACCOUNT, REGION } from './emulator.mjs';

/** The permissions of the commands for a deployed stack, as infra/README.md lists them. */
function rights({ name, outputs }) {
  const queues = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}-*`;
  const table = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
  const bucket = `arn:aws:s3:::${outputs.ArchiveBucket}`;
  const allow = (Resource, ...Action) => ({ Effect: 'Allow', Action, Resource });
  const read = ['GetItem', 'BatchGetItem', 'Query', 'Scan', 'DescribeTable'];
  const write = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];
  return [
    allow(table, ...[...read, ...write].map((action) => `dynamodb:${action}`)),
    allow(`${table}/index/due`, 'dynamodb:Query'),
    allow(queues, 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:SendMessage'),
    allow(bucket, 's3:ListBucket'),
    allow(`${bucket}/archive/*`, 's3:GetObject', 's3:PutObject', 's3:DeleteObject'),
    allow('*', 'cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData', 'lambda:GetAccountSettings'),
  ];
}

/** Creates the operator of a stage. Returns their keys, as environment variables. */
export async function createOperator(stage) {
  const UserName = `${stage.name}-operator`;
  const statements = rights(stage);
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [...statements, ...batchesOf(statements)] });
  await stage.aws.roles('CreateUser', { UserName });
  await stage.aws.roles('PutUserPolicy', { UserName, PolicyName: 'operate', PolicyDocument });
  const { AccessKey } = await stage.aws.roles('CreateAccessKey', { UserName });
  return { AWS_ACCESS_KEY_ID: AccessKey.AccessKeyId, AWS_SECRET_ACCESS_KEY: AccessKey.SecretAccessKey };
}
