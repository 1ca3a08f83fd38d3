# The functions. permissions.tf has the rights of each.

locals {
  # The functions in the order in which work flows.
  function_names = ["ingest", "score", "sweep", "rollup", "deliver", "report", "api", "dashboard", "import"]
  functions = {
    ingest    = module.ingest
    score     = module.score
    sweep     = module.sweep
    rollup    = module.rollup
    deliver   = module.deliver
    report    = module.report
    api       = module.api
    dashboard = module.dashboard
    import    = module.import
  }

  # What all functions have in common.
  stage = {
    prefix       = local.prefix
    region       = local.region
    packages     = var.packages
    architecture = var.architecture
    log_days     = var.config.logs.retention_days
    tags         = local.tags
  }

  # As functions know the queues: MAIL_EVENTS_QUEUE_URL, MAIL_EVENTS_DLQ_URL and so on.
  queue_urls = merge(
    { for name in keys(local.consumers) : "${upper(replace(name, "-", "_"))}_QUEUE_URL" => aws_sqs_queue.queue[name].id },
    { for name in keys(local.consumers) : "${upper(replace(name, "-", "_"))}_DLQ_URL" => aws_sqs_queue.dlq[name].id },
  )
  table_and_events = {
    TABLE            = aws_dynamodb_table.people.name
    EVENTS_QUEUE_URL = local.queue_urls.EVENTS_QUEUE_URL
  }

  # The dashboard's variables: those of sign-in, if there is a provider, and only those that are given.
  dashboard_variables = { for given in concat([{ name = "AUDIT_DAYS", value = var.audit_days }], flatten([for provider in [var.sign_in] : [
    { name = "OIDC_ISSUER", value = provider.issuer },
    { name = "OIDC_CLIENT_ID", value = provider.client_id },
    { name = "OIDC_SCOPES", value = provider.scopes },
    { name = "OIDC_GROUPS_CLAIM", value = provider.groups_claim },
    { name = "OIDC_VIEWERS", value = join(",", provider.viewers) },
    { name = "OIDC_OPERATORS", value = join(",", provider.operators) },
    { name = "OIDC_ADMINS", value = join(",", provider.admins) },
    { name = "SESSION_HOURS", value = provider.session_hours },
    { name = "DASHBOARD_URL", value = provider.url },
  ] if provider != null])) : given.name => given.value if given.value != null && given.value != "" }
  # The secrets that sign-in needs.
  sign_in_secrets = var.sign_in == null ? [] : (var.sign_in.public_client ? ["SESSION_KEYS"] : ["SESSION_KEYS", "OIDC_CLIENT_SECRET"])

  # Whether `deliver` reads secrets at run time, through AWS's extension.
  asks_extension = length(concat(var.config.secrets.stored, var.config.secrets.parameters)) > 0
}

module "ingest" {
  source = "./modules/function"

  name        = "ingest"
  description = "Accepts events over HTTPS"
  stage       = local.stage
  size        = var.config.functions.ingest
  statements  = local.permissions.ingest
  public      = true
  environment = merge(
    local.table_and_events,
    { INBOX_SECRETS = local.secret_values.INBOX_SECRETS },
    { for name in var.config.secrets.hooks : name => local.secret_values[name] },
  )
}

module "score" {
  source = "./modules/function"

  name        = "score"
  description = "Applies events to profiles and decides the next actions"
  stage       = local.stage
  size        = var.config.functions.score
  statements  = local.permissions.score
  environment = merge(local.table_and_events, {
    MESSAGES_QUEUE_URL  = local.queue_urls.MESSAGES_QUEUE_URL
    ESSENTIAL_QUEUE_URL = local.queue_urls.ESSENTIAL_QUEUE_URL
    ACCOUNTS_QUEUE_URL  = local.queue_urls.ACCOUNTS_QUEUE_URL
    ARCHIVE             = "s3://${aws_s3_bucket.archive.id}/${local.archive_prefix}"
  })
}

module "sweep" {
  source = "./modules/function"

  name        = "sweep"
  description = "Finds the profiles and accounts whose timers fired"
  stage       = local.stage
  size        = var.config.functions.sweep
  statements  = local.permissions.sweep
  environment = merge(local.table_and_events, {
    ACCOUNTS_QUEUE_URL = local.queue_urls.ACCOUNTS_QUEUE_URL
  })
}

module "rollup" {
  source = "./modules/function"

  name        = "rollup"
  description = "Computes accounts"
  stage       = local.stage
  size        = var.config.functions.rollup
  statements  = local.permissions.rollup
  environment = merge(local.table_and_events, {
    MESSAGES_QUEUE_URL = local.queue_urls.MESSAGES_QUEUE_URL
    ACCOUNTS_QUEUE_URL = local.queue_urls.ACCOUNTS_QUEUE_URL
  })
}

module "deliver" {
  source = "./modules/function"

  name        = "deliver"
  description = "Sends messages, and processes delivery reports"
  stage       = local.stage
  size        = var.config.functions.deliver
  statements  = local.permissions.deliver
  layers      = local.asks_extension ? [var.secrets_extension_arn] : []
  environment = merge(
    local.table_and_events,
    {
      MESSAGES_QUEUE_URL  = local.queue_urls.MESSAGES_QUEUE_URL
      ESSENTIAL_QUEUE_URL = local.queue_urls.ESSENTIAL_QUEUE_URL
      CONFIGURATION_SET   = aws_sesv2_configuration_set.mails.configuration_set_name
      PUBLIC_URL          = var.public_url == null ? module.api.url : var.public_url
      UNSUBSCRIBE_KEYS    = local.secret_values.UNSUBSCRIBE_KEYS
    },
    { for name in var.config.secrets.endpoints : name => local.secret_values[name] },
  )
}

module "report" {
  source = "./modules/function"

  name        = "report"
  description = "Counts all profiles and makes the reports"
  stage       = local.stage
  size        = var.config.functions.report
  statements  = local.permissions.report
  environment = {
    TABLE   = aws_dynamodb_table.people.name
    ARCHIVE = "s3://${aws_s3_bucket.archive.id}/${local.archive_prefix}"
  }
}

module "api" {
  source = "./modules/function"

  name        = "api"
  description = "Serves the API, the inbox and the preference page"
  stage       = local.stage
  size        = var.config.functions.api
  statements  = local.permissions.api
  public      = true
  environment = merge(local.table_and_events, local.queue_urls, {
    API_KEY_HASHES   = join(",", var.api_key_hashes)
    UNSUBSCRIBE_KEYS = local.secret_values.UNSUBSCRIBE_KEYS
    INBOX_SECRETS    = local.secret_values.INBOX_SECRETS
  })
}

module "dashboard" {
  source = "./modules/function"

  name        = "dashboard"
  description = "Shows pages to colleagues"
  stage       = local.stage
  size        = var.config.functions.dashboard
  statements  = local.permissions.dashboard
  public      = true
  environment = merge(
    { TABLE = aws_dynamodb_table.people.name },
    local.queue_urls,
    local.dashboard_variables,
    { for name in local.sign_in_secrets : name => local.secret_values[name] },
  )
}

module "import" {
  source = "./modules/function"

  name        = "import"
  description = "Imports files that arrive in the bucket"
  stage       = local.stage
  size        = var.config.functions.import
  statements  = local.permissions.import
  environment = {
    TABLE              = aws_dynamodb_table.people.name
    IMPORTS_QUEUE_URL  = local.queue_urls.IMPORTS_QUEUE_URL
    INCOMING_QUEUE_URL = local.queue_urls.INCOMING_QUEUE_URL
    ARCHIVE            = "s3://${aws_s3_bucket.archive.id}/${local.archive_prefix}"
    BUCKET             = "s3://${aws_s3_bucket.archive.id}"
  }
}
