# Schedules: which function is called when.

locals {
  # Retries after a failed call: by EventBridge Scheduler to reach Lambda, and by Lambda to run the function.
  scheduler_retries = 3
  lambda_retries    = 2
  # Minutes after which the call of a cron or at expression is too late. The call of a rate is too late when the next is due.
  late = 60
  # Minutes by which AWS may delay the call of a cron expression, so that not all calls of an account are made on the hour.
  flexible = 5

  schedules = {
    for schedule in var.config.schedules : schedule.id => merge(schedule, {
      # Minutes after which a call is dropped: up to the 6 hours that Lambda keeps one.
      latest = min(coalesce(schedule.every_minutes, local.late), 360)
      # How long a call may be delayed: at most a fifth of a rate's minutes.
      window = schedule.every_minutes == null ? local.flexible : min(local.flexible, floor(coalesce(schedule.every_minutes, local.late) / 5))
    })
  }
  scheduled = toset([for schedule in var.config.schedules : schedule.function])
}

resource "aws_scheduler_schedule_group" "stage" {
  count = length(local.scheduled) > 0 ? 1 : 0

  name = local.prefix
  tags = local.tags
}

resource "aws_scheduler_schedule" "schedule" {
  for_each   = local.schedules
  depends_on = [aws_iam_role_policy.schedules]

  name                         = "${local.prefix}-${each.key}"
  group_name                   = aws_scheduler_schedule_group.stage[0].name
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.time_zone

  flexible_time_window {
    mode                      = each.value.window < 1 ? "OFF" : "FLEXIBLE"
    maximum_window_in_minutes = each.value.window < 1 ? null : each.value.window
  }

  target {
    arn      = local.functions[each.value.function].arn
    role_arn = aws_iam_role.schedules[0].arn

    retry_policy {
      maximum_retry_attempts       = local.scheduler_retries
      maximum_event_age_in_seconds = each.value.latest * 60
    }

    dead_letter_config {
      arn = aws_sqs_queue.dlq["schedules"].arn
    }
  }
}

resource "aws_iam_role" "schedules" {
  count = length(local.scheduled) > 0 ? 1 : 0

  name               = "${local.prefix}-schedules-${local.region}"
  description        = "Lets the schedules of ${local.prefix} call their functions"
  assume_role_policy = data.aws_iam_policy_document.schedules_trust.json
  tags               = local.tags
}

data "aws_iam_policy_document" "schedules_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:scheduler:${local.region}:${local.account}:schedule-group/${local.prefix}"]
    }
  }
}

resource "aws_iam_role_policy" "schedules" {
  count = length(local.scheduled) > 0 ? 1 : 0

  name   = "own"
  role   = aws_iam_role.schedules[0].id
  policy = data.aws_iam_policy_document.schedules.json
}

data "aws_iam_policy_document" "schedules" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [for name in local.scheduled : local.functions[name].arn]
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dlq["schedules"].arn]
  }
}

# The scheduler only passes the call on: Lambda handles failures of the function.
resource "aws_lambda_function_event_invoke_config" "scheduled" {
  for_each = local.scheduled

  function_name                = local.functions[each.key].name
  qualifier                    = "$LATEST"
  maximum_retry_attempts       = local.lambda_retries
  maximum_event_age_in_seconds = min([for schedule in values(local.schedules) : schedule.latest if schedule.function == each.key]...) * 60

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dlq["schedules"].arn
    }
  }
}
