# The rights of each function: the calls that its code makes, on the resources that it uses, and nothing else.
#
# A call is left out on purpose. While they start, `score` and `rollup` ask for a queue, only to have the connection open; a refusal opens it as well.

locals {
  table_arn  = aws_dynamodb_table.people.arn
  queue_arns = { for name in local.queue_names : name => local.queues[name].arn }

  permissions = {
    ingest = [
      { actions = ["dynamodb:GetItem", "dynamodb:BatchWriteItem"], resources = [local.table_arn] },
      { actions = ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources = [local.queue_arns["events"]] },
    ]

    score = concat(local.consume["score"], [
      {
        actions = [
          "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem",
          "dynamodb:BatchWriteItem",
        ]
        resources = [local.table_arn]
      },
      { actions = ["sqs:SendMessage"], resources = [for name in ["events", "messages", "essential", "accounts"] : local.queue_arns[name]] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.archive.arn}/${local.archive_prefix}/*"] },
    ])

    sweep = [
      # The scan counts the table, a part in each run.
      { actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"], resources = [local.table_arn] },
      { actions = ["dynamodb:Query"], resources = ["${local.table_arn}/index/${local.due_index}"] },
      # Lambda puts scheduled calls that it could not run into the dead-letter queue of schedules, with the function's role.
      { actions = ["sqs:SendMessage"], resources = [for name in ["events", "accounts", "schedules-dlq"] : local.queue_arns[name]] },
    ]

    rollup = concat(local.consume["rollup"], [
      { actions = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"], resources = [local.table_arn] },
      { actions = ["sqs:SendMessage"], resources = [for name in ["events", "messages", "accounts"] : local.queue_arns[name]] },
    ])

    deliver = concat(
      local.consume["deliver"],
      [
        {
          actions = [
            "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
          ]
          resources = [local.table_arn]
        },
        { actions = ["sqs:SendMessage"], resources = [for name in ["events", "messages", "essential"] : local.queue_arns[name]] },
        # What the account may send. The call names no resource.
        { actions = ["ses:GetAccount"], resources = ["*"] },
        {
          # SES requires the right to the sender's identity, whichever of the two is verified, and to the configuration set.
          actions = ["ses:SendEmail"]
          resources = [
            "${local.ses_arn}:identity/${var.config.mail.domain}",
            "${local.ses_arn}:identity/${var.config.mail.from_address}",
            "${local.ses_arn}:configuration-set/${local.configuration_set}",
          ]
          conditions = [{ test = "StringEquals", variable = "ses:FromAddress", values = [var.config.mail.from_address] }]
        },
      ],
      # Secrets that endpoints name by `secret`, which the extension reads with the function's role.
      [for names in [var.config.secrets.stored] : {
        actions   = ["secretsmanager:GetSecretValue"]
        resources = [for name in names : startswith(name, "arn:") ? name : "${local.secret_arn}:${name}-??????"]
      } if length(names) > 0],
      [for names in [var.config.secrets.parameters] : {
        actions   = ["ssm:GetParameter"]
        resources = [for name in names : startswith(name, "arn:") ? name : "${local.parameter_arn}${name}"]
      } if length(names) > 0],
      [for key in compact([var.secrets_key_arn]) : { actions = ["kms:Decrypt"], resources = [key] } if local.asks_extension],
    )

    report = [
      # The scan counts all profiles, a part in each run.
      { actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Scan"], resources = [local.table_arn] },
      # It reads the events of a day once, and keeps what they say about subscriptions.
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.archive.arn}/${local.archive_prefix}/*"] },
      { actions = ["s3:PutObject"], resources = ["${aws_s3_bucket.archive.arn}/${local.archive_prefix}/extracts/*"] },
      { actions = ["s3:ListBucket"], resources = [aws_s3_bucket.archive.arn] },
      # Lambda puts scheduled calls that it could not run into the dead-letter queue of schedules, with the function's role.
      { actions = ["sqs:SendMessage"], resources = [local.queue_arns["schedules-dlq"]] },
    ]
    import = concat(local.consume["import"], [
      { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], resources = [local.table_arn] },
      { actions = ["sqs:SendMessage"], resources = [for name in ["incoming", "imports"] : local.queue_arns[name]] },
      { actions = ["s3:GetObject"], resources = ["${aws_s3_bucket.archive.arn}/${local.incoming_prefix}*"] },
      { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${aws_s3_bucket.archive.arn}/${local.progress_prefix}*"] },
      # Without it S3 refuses a request for an object that does not exist, instead of saying so: each new file would fail.
      { actions = ["s3:ListBucket"], resources = [aws_s3_bucket.archive.arn] },
    ])

    api = [
      {
        actions = [
          "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:UpdateItem",
          "dynamodb:DeleteItem",
        ]
        resources = [local.table_arn]
      },
      { actions = ["sqs:SendMessage"], resources = [local.queue_arns["events"]] },
      {
        actions   = ["sqs:GetQueueAttributes"]
        resources = [for name in setsubtract(local.queue_names, ["schedules-dlq"]) : local.queue_arns[name]]
      },
    ]

    # Without sign-in it shows nothing, and only loads the configuration.
    dashboard = concat(
      [{ actions = ["dynamodb:GetItem"], resources = [local.table_arn] }],
      [for statement in [
        { actions = ["dynamodb:BatchGetItem", "dynamodb:Query"], resources = [local.table_arn], conditions = [] },
        # It writes the audit log, and resumes paused journeys.
        {
          actions    = ["dynamodb:PutItem"]
          resources  = [local.table_arn]
          conditions = [{ test = "ForAllValues:StringLike", variable = "dynamodb:LeadingKeys", values = ["LOG#*"] }]
        },
        {
          actions    = ["dynamodb:UpdateItem"]
          resources  = [local.table_arn]
          conditions = [{ test = "ForAllValues:StringLike", variable = "dynamodb:LeadingKeys", values = ["LOG#*", "PAUSES"] }]
        },
        { actions = ["sqs:SendMessage"], resources = [for name in keys(local.consumers) : local.queue_arns[name]], conditions = [] },
        {
          actions    = ["sqs:GetQueueAttributes"]
          resources  = [for name in setsubtract(local.queue_names, ["schedules-dlq"]) : local.queue_arns[name]]
          conditions = []
        },
        {
          actions    = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
          resources  = [for name in keys(local.consumers) : local.queue_arns["${name}-dlq"]]
          conditions = []
        },
      ] : statement if var.sign_in != null],
    )
  }

  # The calls with which Lambda polls a function's queue, with the function's role.
  consume = {
    for function in distinct(values(local.consumers)) : function => [{
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      resources = [for name, consumer in local.consumers : local.queue_arns[name] if consumer == function]
    }]
  }

  ses_arn = "arn:${local.partition}:ses:${local.region}:${local.account}"
  # Secrets Manager appends a dash and six random characters to a secret's name.
  secret_arn = "arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret"
  # The name of a parameter starts with a slash.
  parameter_arn = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter"
}
