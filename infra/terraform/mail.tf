# Mail: the configuration set that `deliver` sends with, and the path of SES events, SES -> SNS -> SQS.

locals {
  # Each stage has a configuration set of its own.
  configuration_set = join("-", compact([var.config.mail.configuration_set, var.stage]))
}

resource "aws_sesv2_configuration_set" "mails" {
  configuration_set_name = local.configuration_set
  tags                   = local.tags

  reputation_options {
    reputation_metrics_enabled = true
  }

  sending_options {
    sending_enabled = true
  }
}

resource "aws_sesv2_configuration_set_event_destination" "mail_events" {
  # SES publishes a test message when the destination is created, and refuses to create it if that fails.
  depends_on = [aws_sns_topic_policy.mail_events]

  configuration_set_name = aws_sesv2_configuration_set.mails.configuration_set_name
  event_destination_name = "${local.prefix}-mail-events"

  event_destination {
    enabled              = true
    matching_event_types = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT", "OPEN", "CLICK", "DELIVERY_DELAY", "SUBSCRIPTION", "RENDERING_FAILURE"]

    sns_destination {
      topic_arn = aws_sns_topic.mail_events.arn
    }
  }
}

resource "aws_sns_topic" "mail_events" {
  name = "${local.prefix}-mail-events"
  tags = local.tags
}

resource "aws_sns_topic_policy" "mail_events" {
  arn    = aws_sns_topic.mail_events.arn
  policy = data.aws_iam_policy_document.mail_events.json
}

data "aws_iam_policy_document" "mail_events" {
  statement {
    sid       = "AllowPublishThroughSSLOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.mail_events.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    sid       = "ReportsOfOurMails"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.mail_events.arn]

    principals {
      type        = "Service"
      identifiers = ["ses.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["${local.ses_arn}:configuration-set/${local.configuration_set}"]
    }
  }
}

# Raw: a report is half as long without SNS's envelope. Messages that SNS cannot deliver go to the queue's dead-letter queue.
resource "aws_sns_topic_subscription" "mail_events" {
  depends_on = [aws_sqs_queue_policy.queue]

  topic_arn            = aws_sns_topic.mail_events.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.queue["mail-events"].arn
  raw_message_delivery = true
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq["mail-events"].arn })
}

resource "aws_sesv2_email_identity" "sender" {
  count = var.create_mail_identity ? 1 : 0

  email_identity = var.config.mail.domain
  tags           = local.tags
}
