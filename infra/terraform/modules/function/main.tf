# One function: a Rust binary with a role, a log group and an environment of its own, and optionally a function URL.

locals {
  name = "${var.stage.prefix}-${var.name}"
  zip  = "${var.stage.packages}/${var.name}/bootstrap.zip"
}

resource "aws_lambda_function" "function" {
  # Without its rights, Lambda could not poll its queue yet, and its first calls would fail.
  depends_on = [aws_iam_role_policy.own]

  function_name                  = local.name
  description                    = "${var.description} (Perennial)"
  runtime                        = "provided.al2023"
  architectures                  = [var.stage.architecture]
  handler                        = "bootstrap"
  filename                       = local.zip
  source_code_hash               = filebase64sha256(local.zip)
  memory_size                    = var.size.memory_mb
  timeout                        = var.size.timeout_seconds
  reserved_concurrent_executions = var.size.concurrency
  layers                         = var.layers
  role                           = aws_iam_role.function.arn
  tags                           = var.stage.tags

  environment {
    variables = var.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.logs.name
  }
}

resource "aws_cloudwatch_log_group" "logs" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.stage.log_days
  tags              = var.stage.tags
}

resource "aws_iam_role" "function" {
  # Roles belong to an account, stages to a region of it.
  name               = "${local.name}-${var.stage.region}"
  description        = "Permissions of ${local.name}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = var.stage.tags
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "own" {
  name   = "own"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.own.json
}

data "aws_iam_policy_document" "own" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.logs.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.statements

    content {
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

# The function checks keys and signatures and answers preflights itself: with CORS configured here, browsers would get both headers.
resource "aws_lambda_function_url" "public" {
  count = var.public ? 1 : 0

  function_name      = aws_lambda_function.function.function_name
  authorization_type = "NONE"
}

resource "aws_lambda_permission" "url" {
  count = var.public ? 1 : 0

  function_name          = aws_lambda_function.function.function_name
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "call_by_url" {
  count = var.public ? 1 : 0

  function_name            = aws_lambda_function.function.function_name
  action                   = "lambda:InvokeFunction"
  principal                = "*"
  invoked_via_function_url = true
}
