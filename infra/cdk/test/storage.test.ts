import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { read, shipped } from './support.ts';

describe('the table', () => {
  const table = shipped.one('AWS::DynamoDB::Table', 'TableName', 'perennial');
  const constants = read('shared/store/src/table.rs') + read('shared/store/src/keys.rs');
  const constant = (name: string): string => {
    const found = new RegExp(`const ${name}: &str = "([^"]+)"`).exec(constants)?.[1];
    assert.ok(found, `${name} is a constant of the store`);
    return found;
  };

  it('has the keys, the index and the time to live that the store asks for', () => {
    const [pk, sk, shard, at] = ['PK', 'SK', 'DUE_SHARD', 'DUE_AT'].map(constant);
    assert.deepEqual(table.Properties.KeySchema, [
      { AttributeName: pk, KeyType: 'HASH' },
      { AttributeName: sk, KeyType: 'RANGE' },
    ]);
    assert.deepEqual(table.Properties.GlobalSecondaryIndexes, [
      {
        IndexName: constant('DUE_INDEX'),
        KeySchema: [
          { AttributeName: shard, KeyType: 'HASH' },
          { AttributeName: at, KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ]);
    assert.deepEqual(table.Properties.AttributeDefinitions, [
      { AttributeName: pk, AttributeType: 'S' },
      { AttributeName: sk, AttributeType: 'S' },
      { AttributeName: shard, AttributeType: 'S' },
      { AttributeName: at, AttributeType: 'N' },
    ]);
    assert.deepEqual(table.Properties.TimeToLiveSpecification, { AttributeName: constant('TTL'), Enabled: true });
  });

  it('can be restored to any second, cannot be deleted by accident, and outlives the stack', () => {
    assert.deepEqual(table.Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
    assert.equal(table.Properties.DeletionProtectionEnabled, true);
    assert.equal(table.DeletionPolicy, 'Retain');
    assert.equal(table.UpdateReplacePolicy, 'Retain');
  });

  it('is paid by request', () => {
    assert.equal(table.Properties.BillingMode, 'PAY_PER_REQUEST');
  });
});

describe('the archive', () => {
  const [bucket, ...others] = shipped.all('AWS::S3::Bucket');

  it('is the only bucket, keeps versions for a month, and outlives the stack', () => {
    assert.equal(others.length, 0);
    assert.equal(bucket?.Properties.BucketName, 'perennial-archive-<AccountId>-<Region>');
    assert.equal(bucket?.DeletionPolicy, 'Retain');
    assert.deepEqual(bucket?.Properties.VersioningConfiguration, { Status: 'Enabled' });
    assert.deepEqual(bucket?.Properties.LifecycleConfiguration.Rules, [
      {
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Status: 'Enabled',
      },
    ]);
  });

  it('is encrypted, closed to the public, and refuses requests without TLS', () => {
    assert.ok(bucket?.Properties.BucketEncryption);
    assert.deepEqual(bucket?.Properties.PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    const [policy] = shipped.all('AWS::S3::BucketPolicy');
    const conditions = policy?.Properties.PolicyDocument.Statement.map((statement: { Effect: string; Condition: unknown }) => [
      statement.Effect,
      statement.Condition,
    ]);
    assert.deepEqual(conditions, [
      ['Deny', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Deny', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
    ]);
  });
});

it('nothing but the table, the archive and the keys of unsubscribe links outlives the stack', () => {
  const kept = Object.values(shipped.resources).filter((resource) => resource.DeletionPolicy === 'Retain');
  assert.deepEqual(
    kept.map((resource) => [resource.Type, resource.Properties.TableName ?? resource.Properties.Name]).sort(),
    [
      ['AWS::DynamoDB::Table', 'perennial'],
      ['AWS::S3::Bucket', undefined],
      ['AWS::SecretsManager::Secret', 'perennial/UNSUBSCRIBE_KEYS'],
    ],
  );
});
