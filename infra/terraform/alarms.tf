# Alarms. infra/README.md describes each: what it means, and what to do.

locals {
  # Minutes. A message that waits is a new one every quarter of an hour, so an old one is not being received. A report has to be through before its
  # mail counts as lost. Essential messages are to be out within minutes. Files may wait for each other, and an import may take hours.
  resend = var.config.mail.resend_unknown_after_minutes
  oldest = {
    events        = 15
    incoming      = 12 * 60
    imports       = 12 * 60
    messages      = max(60, 2 * local.resend)
    essential     = 20
    accounts      = 30
    "mail-events" = local.resend == 0 ? 15 : max(1, floor(local.resend / 2))
  }

  # Defaults of every alarm: it fires above 0, and does not fire for missing data.
  usual = {
    namespace  = "AWS/Lambda"
    dimensions = {}
    period     = 5 * 60
    threshold  = 0
    comparison = "GreaterThanThreshold"
    missing    = "notBreaching"
    # How many of how many periods must be over the limit.
    datapoints = 1
    periods    = 1
  }

  # In the order in which the dashboard shows them.
  alarms = [for alarm in concat(
    flatten([for step in local.flow : [
      {
        name       = "${step.queue}-dlq"
        about      = "Dead letters of ${step.queue}: messages exhausted their retries"
        namespace  = "AWS/SQS"
        metric     = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = aws_sqs_queue.dlq[step.queue].name }
        statistic  = "Maximum"
        period     = 60
      },
      {
        name       = "${step.queue}-late"
        about      = "The oldest message of ${step.queue} waits for more than ${local.oldest[step.queue]} minutes"
        namespace  = "AWS/SQS"
        metric     = "ApproximateAgeOfOldestMessage"
        dimensions = { QueueName = aws_sqs_queue.queue[step.queue].name }
        statistic  = "Maximum"
        threshold  = local.oldest[step.queue] * 60
      },
    ]]),
    [{
      name       = "schedules-dlq"
      about      = "A schedule's call of its function failed after all retries"
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = aws_sqs_queue.dlq["schedules"].name }
      statistic  = "Maximum"
      period     = 60
    }],
    flatten([for name in local.function_names : [
      {
        name       = "${name}-errors"
        about      = "Calls of ${name} failed or timed out; partial batch failures are not counted"
        metric     = "Errors"
        dimensions = { FunctionName = local.functions[name].name }
        statistic  = "Sum"
        datapoints = 2
        periods    = 3
      },
      {
        name       = "${name}-throttles"
        about      = "Calls of ${name} were throttled: its concurrency, or the account's, is used up"
        metric     = "Throttles"
        dimensions = { FunctionName = local.functions[name].name }
        statistic  = "Sum"
        datapoints = 2
        periods    = 3
      },
    ]]),
    # Nothing else notices a schedule that has stopped: nobody waits for its calls. CloudWatch evaluates at most one day.
    [for schedule in var.config.schedules : {
      name       = "${schedule.id}-silent"
      about      = "The schedule ${schedule.id} has not called ${schedule.function} for ${max(15, 3 * schedule.every_minutes)} minutes"
      metric     = "Invocations"
      dimensions = { FunctionName = local.functions[schedule.function].name }
      statistic  = "Sum"
      period     = max(15, 3 * schedule.every_minutes) * 60
      threshold  = 1
      comparison = "LessThanThreshold"
      missing    = "breaching"
    } if coalesce(schedule.every_minutes, 24 * 60) <= 8 * 60],
    # SES has one reputation for all mails of an account and region, and acts on it.
    [
      {
        name       = "mail-bounces"
        about      = "The account's bounce rate is so high that SES may put it under review"
        namespace  = "AWS/SES"
        metric     = "Reputation.BounceRate"
        statistic  = "Maximum"
        period     = 60 * 60
        threshold  = var.config.mail.bounce_limit
        comparison = "GreaterThanOrEqualToThreshold"
      },
      {
        name       = "mail-complaints"
        about      = "The account's complaint rate is so high that SES may put it under review"
        namespace  = "AWS/SES"
        metric     = "Reputation.ComplaintRate"
        statistic  = "Maximum"
        period     = 60 * 60
        threshold  = var.config.mail.complaint_limit
        comparison = "GreaterThanOrEqualToThreshold"
      },
    ],
    [
      {
        name       = "journeys-paused"
        about      = "A journey is paused because too many of its mails bounced or caused complaints"
        namespace  = local.own_metrics
        metric     = "MessagesPaused"
        dimensions = { function = module.deliver.name }
        statistic  = "Sum"
      },
      {
        name       = "messages-overdue"
        about      = "Messages have waited for more than an hour: a receiver is unavailable, or the rate or quota of SES is too low"
        namespace  = local.own_metrics
        metric     = "MessagesOverdue"
        dimensions = { function = module.deliver.name }
        statistic  = "Sum"
      },
      {
        name       = "messages-expired"
        about      = "Messages expired: they exceeded their journey's max_age_days before they could be sent"
        namespace  = local.own_metrics
        metric     = "MessagesExpired"
        dimensions = { function = module.deliver.name }
        statistic  = "Sum"
      },
      {
        name       = "mails-in-doubt"
        about      = "The delivery outcome of a message is unknown, and it is not sent again"
        namespace  = local.own_metrics
        metric     = "MessagesUnknown"
        dimensions = { function = module.deliver.name }
        statistic  = "Sum"
      },
    ],
  ) : merge(local.usual, alarm)]
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = { for alarm in local.alarms : alarm.name => alarm }

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  threshold           = each.value.threshold
  comparison_operator = each.value.comparison
  treat_missing_data  = each.value.missing
  datapoints_to_alarm = each.value.datapoints
  evaluation_periods  = each.value.periods
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = local.tags
}

resource "aws_sns_topic" "alarms" {
  name = "${local.prefix}-alarms"
  tags = local.tags
}

resource "aws_sns_topic_subscription" "alarms" {
  count = var.alarm_mail == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_mail
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AllowPublishThroughSSLOnly"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

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
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}
