# Storage: the table, and the archive of all events. Terraform refuses to destroy either.

locals {
  # The archive's prefix in the bucket.
  archive_prefix = "archive"
  # The prefix of files to import, and that of the progress of imports.
  incoming_prefix = "incoming/"
  progress_prefix = "${local.archive_prefix}/imports/"
  # Bucket names are global: the account and the region make it unique.
  archive_bucket = "${local.prefix}-archive-${local.account}-${local.region}"
  # The sparse index of due profiles and accounts.
  due_index = "due"
}

resource "aws_dynamodb_table" "people" {
  name         = local.prefix
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  attribute {
    name = "due_shard"
    type = "S"
  }

  attribute {
    name = "due_at"
    type = "N"
  }

  global_secondary_index {
    name            = local.due_index
    projection_type = "KEYS_ONLY"

    key_schema {
      attribute_name = "due_shard"
      key_type       = "HASH"
    }

    key_schema {
      attribute_name = "due_at"
      key_type       = "RANGE"
    }
  }

  ttl {
    attribute_name = "ttl"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  deletion_protection_enabled = true
  tags                        = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket" "archive" {
  bucket = local.archive_bucket
  tags   = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "archive" {
  bucket                  = aws_s3_bucket.archive.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# A redelivered batch writes its object again, with the same content. Erased data must be gone after some days.
resource "aws_s3_bucket_versioning" "archive" {
  bucket = aws_s3_bucket.archive.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  # Rules on versions require versioning to be enabled first.
  depends_on = [aws_s3_bucket_versioning.archive]

  bucket = aws_s3_bucket.archive.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
}

# S3 sends a test event when notices are set up, and refuses to set them up if the queue does not accept it.
resource "aws_s3_bucket_notification" "incoming" {
  depends_on = [aws_sqs_queue_policy.queue]

  bucket = aws_s3_bucket.archive.id

  queue {
    queue_arn     = aws_sqs_queue.queue["incoming"].arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = local.incoming_prefix
  }
}

resource "aws_s3_bucket_policy" "archive" {
  bucket = aws_s3_bucket.archive.id
  policy = data.aws_iam_policy_document.archive.json
}

data "aws_iam_policy_document" "archive" {
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.archive.arn, "${aws_s3_bucket.archive.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.archive.arn, "${aws_s3_bucket.archive.arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "s3:TlsVersion"
      values   = ["1.2"]
    }
  }
}
