variable "name" {
  description = "The function's name: that of its crate in `functions/`."
  type        = string
}

variable "description" {
  description = "A description in one line."
  type        = string
}

variable "stage" {
  description = "The settings that all functions of a stage share."
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
  description = "Its settings from deployment.toml."
  type = object({
    memory_mb       = number
    timeout_seconds = number
    concurrency     = optional(number)
  })
}

variable "statements" {
  description = "Its rights, in addition to writing its log."
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
  description = "Whether it has a public function URL."
  type        = bool
  default     = false
}
