variable "region" {
  description = "The AWS region."
  type        = string
}

variable "stage" {
  description = "Which stage; null for the only one."
  type        = string
  default     = null
}

variable "architecture" {
  description = "What the functions were built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "api_key_hashes" {
  description = "SHA-256, in hex, of each key of the api; `read:` before it makes a key that may only read."
  type        = list(string)
}

variable "alarm_mail" {
  description = "Who gets alarms by mail."
  type        = string
  default     = null
}
