variable "config" {
  description = "The output of `perennial config deployment infra/config`: jsondecode(file(\"deployment.json\"))."
  type = object({
    files = map(string)
    queues = object({
      max_receives       = number
      retention_days     = number
      dlq_retention_days = number
    })
    logs = object({
      retention_days = number
    })
    functions = map(object({
      memory_mb       = number
      timeout_seconds = number
      concurrency     = optional(number)
      batch = optional(object({
        messages       = number
        window_seconds = number
        at_once        = number
      }))
    }))
    schedules = list(object({
      id            = string
      function      = string
      expression    = string
      time_zone     = string
      every_minutes = optional(number)
    }))
    mail = object({
      from_address                 = string
      domain                       = string
      configuration_set            = string
      resend_unknown_after_minutes = number
      bounce_limit                 = number
      complaint_limit              = number
    })
    secrets = object({
      hooks      = list(string)
      endpoints  = list(string)
      stored     = list(string)
      parameters = list(string)
    })
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.config.mail.configuration_set))
    error_message = "channels.toml: mail.configuration_set must be letters, digits, _ and -, up to 64."
  }

  validation {
    condition     = alltrue([for name in concat(var.config.secrets.hooks, var.config.secrets.endpoints) : can(regex("^[A-Za-z][A-Za-z0-9_]*$", name))])
    error_message = "Each secret_env must be letters, digits and _, and begin with a letter: Lambda takes no other variable."
  }

  validation {
    condition     = alltrue([for schedule in var.config.schedules : contains(["sweep", "report"], schedule.function)])
    error_message = "schedules.toml: only sweep and report are called by the clock."
  }
}

variable "config_directory" {
  description = "The directory of the TOML files that `config` was made from. A plan is refused if they were edited afterwards; null for no check."
  type        = string
  default     = null

  validation {
    condition = var.config_directory == null ? true : alltrue([
      for name, sum in var.config.files : filesha256("${var.config_directory}/${name}") == sum
    ])
    error_message = "The config was edited since: run `perennial config deployment DIRECTORY > deployment.json` again."
  }
}

variable "stage" {
  description = "All names, the table's included, begin with `perennial-STAGE`; null for `perennial`. Stages of one account share only its quotas and SES's reputation."
  type        = string
  default     = null

  validation {
    condition     = var.stage == null ? true : can(regex("^[a-z][a-z0-9-]{0,19}$", var.stage))
    error_message = "A stage must be lower-case letters, digits and -, begin with a letter, and have 20 characters at most."
  }
}

variable "packages" {
  description = "The directory with NAME/bootstrap.zip of each function: target/lambda, after `cargo lambda build --release --output-format zip`."
  type        = string
}

variable "architecture" {
  description = "What the functions were built for: `x86_64`, or `arm64` (`cargo lambda build --arm64`)."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture must be arm64 or x86_64."
  }
}

variable "api_key_hashes" {
  description = "SHA-256, in hex, of each API key, with `read:` before the hash of a key that can only read; several while one is rotated. `perennial key` makes both."
  type        = list(string)

  validation {
    condition     = length(var.api_key_hashes) > 0 && alltrue([for hash in var.api_key_hashes : can(regex("^((read|operate):)?[0-9a-f]{64}$", hash))])
    error_message = "At least one SHA-256 must be given, each of 64 hexadecimal digits in lower case, with `read:` before it for a key that may only read."
  }
}

variable "public_url" {
  description = "https://HOST, if a domain of yours is in front of the API; null for the API's function URL."
  type        = string
  default     = null

  validation {
    condition     = var.public_url == null ? true : can(regex("^https://[^/]+$", var.public_url))
    error_message = "The public URL must be https://HOST, without a path or a slash at its end."
  }
}

variable "create_mail_identity" {
  description = "Makes the sender's domain an identity of this stage, to be verified by `dkim_records`. Otherwise it must be an identity of the account."
  type        = bool
  default     = false
}

variable "alarm_mail" {
  description = "The mail address that receives alarms, after confirming to SNS. Null for nobody: subscribe to `alarm_topic`."
  type        = string
  default     = null
}

variable "secrets_key_arn" {
  description = "The ARN of the KMS key of secrets that channels.toml names by `secret`, if it is not AWS's own."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.secrets_key_arn))
    error_message = "The key must be given by its ARN."
  }
}

variable "secrets_extension_arn" {
  description = "The ARN of the layer `AWS-Parameters-and-Secrets-Lambda-Extension` (or `…-Arm64`) in this region. Only needed if channels.toml names an endpoint's secret by `secret`."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_extension_arn != null || length(concat(var.config.secrets.stored, var.config.secrets.parameters)) == 0
    error_message = "channels.toml names a secret by `secret`, which deliver reads through the extension: give its ARN in this region."
  }
}

variable "sign_in" {
  description = "How colleagues sign in to the dashboard: your OpenID Connect provider, and the groups, `mail:ADDRESS` or `domain:DOMAIN` of each role. Null for a dashboard that shows nothing. The client's secret is the secret PREFIX/OIDC_CLIENT_SECRET of this stage."
  type = object({
    issuer        = string
    client_id     = string
    public_client = optional(bool, false)
    scopes        = optional(string)
    groups_claim  = optional(string)
    viewers       = optional(list(string), [])
    operators     = optional(list(string), [])
    admins        = optional(list(string), [])
    session_hours = optional(number)
    url           = optional(string)
  })
  default = null

  validation {
    condition     = var.sign_in == null ? true : can(regex("^https://[^/?#]+(/[^?#]*)?$", var.sign_in.issuer))
    error_message = "The issuer must be the https URL that the discovery document of your identity provider calls `issuer`."
  }

  validation {
    condition     = var.sign_in == null ? true : length(concat(var.sign_in.viewers, var.sign_in.operators, var.sign_in.admins)) > 0
    error_message = "viewers, operators or admins must name somebody: otherwise nobody has access."
  }

  validation {
    condition     = var.sign_in == null ? true : (var.sign_in.url == null ? true : can(regex("^https://[^/]+$", var.sign_in.url)))
    error_message = "The dashboard's URL must be https://HOST, without a path or a slash at its end."
  }
}

variable "audit_days" {
  description = "Days for which the dashboard's audit log is kept; null for its default of 400."
  type        = number
  default     = null

  validation {
    condition     = var.audit_days == null ? true : var.audit_days >= 1 && var.audit_days <= 3650
    error_message = "The audit log is kept for 1 to 3650 days."
  }
}

variable "tags" {
  description = "Tags of everything that takes tags, in addition to `perennial`."
  type        = map(string)
  default     = {}
}
