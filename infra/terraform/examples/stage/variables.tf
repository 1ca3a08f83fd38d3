variable "region" {
  description = "The AWS region."
  type        = string
}

variable "stage" {
  description = "The stage; null for the only one."
  type        = string
  default     = null
}

variable "architecture" {
  description = "What the functions were built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "api_key_hashes" {
  description = "SHA-256, in hex, of each API key; `read:` before a hash makes a key that can only read."
  type        = list(string)
}

variable "sign_in" {
  description = "How colleagues sign in to the dashboard: issuer, client_id and the groups of viewers, operators and admins, as the module describes. Null for a dashboard that shows nothing."
  type        = any
  default     = null
}

variable "alarm_mail" {
  description = "The mail address that receives alarms."
  type        = string
  default     = null
}
