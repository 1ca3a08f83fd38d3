# The queues between the functions, each with its dead-letter queue.

locals {
  # The queues in the order in which work flows, and the function that each feeds.
  flow = [
    { queue = "events", function = "score" },
    { queue = "incoming", function = "import" },
    { queue = "imports", function = "score" },
    { queue = "messages", function = "deliver" },
    { queue = "essential", function = "deliver" },
    { queue = "accounts", function = "rollup" },
    { queue = "mail-events", function = "deliver" },
  ]
  consumers = { for step in local.flow : step.queue => step.function }

  # The visibility timeout of a queue, as a multiple of its function's timeout. AWS recommends six.
  visibility_timeouts = 6

  # All queues, by what follows the prefix in their names.
  queue_names = toset(concat(keys(local.consumers), [for name in keys(local.consumers) : "${name}-dlq"], ["schedules-dlq"]))
  queues = merge(
    { for name, queue in aws_sqs_queue.queue : name => queue },
    { for name, queue in aws_sqs_queue.dlq : "${name}-dlq" => queue },
  )
}

resource "aws_sqs_queue" "queue" {
  for_each = local.consumers

  name                      = "${local.prefix}-${each.key}"
  message_retention_seconds = var.config.queues.retention_days * 24 * 60 * 60
  # A throttled batch is retried for some time before it uses up an attempt.
  visibility_timeout_seconds = local.visibility_timeouts * var.config.functions[each.value].timeout_seconds
  sqs_managed_sse_enabled    = true
  tags                       = local.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dlq[each.key].arn
    maxReceiveCount     = var.config.queues.max_receives
  })
}

# `schedules`: scheduled calls that failed, because neither EventBridge Scheduler nor Lambda could run the function to its end.
resource "aws_sqs_queue" "dlq" {
  for_each = toset(concat(keys(local.consumers), ["schedules"]))

  name                      = "${local.prefix}-${each.key}-dlq"
  message_retention_seconds = var.config.queues.dlq_retention_days * 24 * 60 * 60
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "queue" {
  for_each = local.queue_names

  queue_url = local.queues[each.key].id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

data "aws_iam_policy_document" "queue" {
  for_each = local.queue_names

  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [local.queues[each.key].arn]

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

  dynamic "statement" {
    # SNS delivers mail events, and moves those that it cannot deliver to the dead-letter queue.
    for_each = contains(["mail-events", "mail-events-dlq"], each.key) ? [aws_sns_topic.mail_events.arn] : []

    content {
      actions   = ["sqs:SendMessage"]
      resources = [local.queues[each.key].arn]

      principals {
        type        = "Service"
        identifiers = ["sns.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [statement.value]
      }
    }
  }

  dynamic "statement" {
    # S3 announces new files. By its name, the bucket does not have to exist yet: notices are set up last.
    for_each = each.key == "incoming" ? ["arn:${local.partition}:s3:::${local.archive_bucket}"] : []

    content {
      sid       = "NoticesOfOurFiles"
      actions   = ["sqs:SendMessage"]
      resources = [local.queues[each.key].arn]

      principals {
        type        = "Service"
        identifiers = ["s3.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [statement.value]
      }
    }
  }
}

# Lambda polls each queue. Only failed records are redelivered: the functions return their ids.
resource "aws_lambda_event_source_mapping" "queue" {
  for_each = local.consumers

  event_source_arn                   = aws_sqs_queue.queue[each.key].arn
  function_name                      = local.functions[each.value].name
  batch_size                         = var.config.functions[each.value].batch.messages
  maximum_batching_window_in_seconds = var.config.functions[each.value].batch.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]
  tags                               = local.tags

  scaling_config {
    maximum_concurrency = var.config.functions[each.value].batch.at_once
  }
}
