# Secrets in the functions' environment. Each starts with a random value, which is the key itself or a placeholder for the real value.

locals {
  # Keys of the functions themselves, and those that the config names: the signing secret of a hook or endpoint, the address of a chat.
  secrets = merge(
    { for name in setunion(var.config.secrets.hooks, var.config.secrets.endpoints) : name => "What the config of Perennial calls by the last part of this name" },
    { for name in local.sign_in_secrets : name => name == "SESSION_KEYS" ? "Keys of the dashboard's sessions, one or two with a comma between" : "The dashboard's client secret at the identity provider" },
    { INBOX_SECRETS = "What tokens of users and of their inboxes are made with, with commas between: for the product's own server too" },
  )

  # The environment of the functions: the current value of each secret, by its name.
  secret_values = merge(
    { for name, version in data.aws_secretsmanager_secret_version.shared : name => version.secret_string },
    { UNSUBSCRIBE_KEYS = data.aws_secretsmanager_secret_version.unsubscribe_keys.secret_string },
  )
}

# Letters and digits, a multiple of four of them, so that the value is also base64, like signing keys of Standard Webhooks. Each secret has its own,
# written once: only `secret_string_wo_version` would write it again.
ephemeral "aws_secretsmanager_random_password" "shared" {
  for_each = local.secrets

  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "shared" {
  for_each = local.secrets

  name        = "${local.prefix}/${each.key}"
  description = each.value
  # A stage that is destroyed and created again finds its names free.
  recovery_window_in_days = 0
  tags                    = local.tags
}

resource "aws_secretsmanager_secret_version" "shared" {
  for_each = local.secrets

  secret_id                = aws_secretsmanager_secret.shared[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.shared[each.key].random_password
  secret_string_wo_version = 1
}

data "aws_secretsmanager_secret_version" "shared" {
  for_each   = local.secrets
  depends_on = [aws_secretsmanager_secret_version.shared]

  secret_id = aws_secretsmanager_secret.shared[each.key].id
}

ephemeral "aws_secretsmanager_random_password" "unsubscribe_keys" {
  password_length     = 64
  exclude_punctuation = true
}

# Links in sent mails verify with nothing else: Terraform refuses to destroy it.
resource "aws_secretsmanager_secret" "unsubscribe_keys" {
  name        = "${local.prefix}/UNSUBSCRIBE_KEYS"
  description = "Keys of unsubscribe links, with commas between"
  tags        = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_secretsmanager_secret_version" "unsubscribe_keys" {
  secret_id                = aws_secretsmanager_secret.unsubscribe_keys.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.unsubscribe_keys.random_password
  secret_string_wo_version = 1
}

data "aws_secretsmanager_secret_version" "unsubscribe_keys" {
  depends_on = [aws_secretsmanager_secret_version.unsubscribe_keys]

  secret_id = aws_secretsmanager_secret.unsubscribe_keys.id
}
