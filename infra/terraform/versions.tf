terraform {
  # Write-only arguments and ephemeral resources keep the first values of secrets out of plans and state.
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.42: `key_schema` of indexes, `invoked_via_function_url` of permissions.
      version = ">= 6.42.0, < 7.0.0"
    }
  }
}
