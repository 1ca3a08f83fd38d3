/** Storage: the table, and the archive of all events. Both are retained when the stack is deleted. */

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from './nag.ts';

/** The sparse index of due timers, under the name in `perennial_store::table`. */
export const DUE_INDEX = 'due';
/** The prefix of the archive in the bucket. */
export const ARCHIVE_PREFIX = 'archive';
/** The prefix of files to import: `incoming/SOURCE/…`. */
export const INCOMING_PREFIX = 'incoming/';
/** The prefix of the progress of imports, in the archive. */
export const PROGRESS_PREFIX = `${ARCHIVE_PREFIX}/imports/`;

/** The table and the archive's bucket. */
export class Storage extends Construct {
  readonly table: Table;
  readonly archive: Bucket;
  /** The archive's ARN, without a reference to it: for what has to exist before it. */
  readonly archiveArn: string;

  constructor(scope: Construct, id: string, props: { prefix: string }) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      tableName: props.prefix,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: DUE_INDEX,
      partitionKey: { name: 'due_shard', type: AttributeType.STRING },
      sortKey: { name: 'due_at', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    const { account, region } = Stack.of(this);
    // Bucket names are global: the account and the region make it unique, while operators can derive it from the stage's name.
    const bucketName = `${props.prefix}-archive-${account}-${region}`;
    this.archiveArn = Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource: bucketName });
    this.archive = new Bucket(this, 'Archive', {
      bucketName,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // A redelivered batch writes its object again, with the same content. Erased data has to be gone after a while.
      versioned: true,
      lifecycleRules: [
        { noncurrentVersionExpiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(
      this.archive,
      'AwsSolutions-S1',
      'Only the roles of score, import and report may write here, and nothing is public. CloudTrail records reads as data events, if the account turns them on.',
    );
  }
}
