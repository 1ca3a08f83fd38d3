variable "name" {
  description = "The function's name, as its crate below `functions/` has it."
  type        = string
}

variable "description" {
  description = "What it is, in a line."
  type        = string
}

variable "stage" {
  description = "What all functions of a stage have in common."
  type = object({
    prefix       = string
    region       = string
    packages     = string
    architecture = string
    log_days     = number
    tags         = map(string)
  })
}

variable "size" {
  description = "What deployment.toml says of it."
  type = object({
    memory_mb       = number
    timeout_seconds = number
    concurrency     = optional(number)
  })
}

variable "statements" {
  description = "What it may do beside writing its log."
  type = list(object({
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
  }))
}

variable "environment" {
  description = "Its environment."
  type        = map(string)
}

variable "layers" {
  description = "ARNs of layers."
  type        = list(string)
  default     = []
}

variable "public" {
  description = "Whether it answers over HTTPS to anyone."
  type        = bool
  default     = false
}
