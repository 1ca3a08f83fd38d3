# One stage of Perennial. It shares nothing with other stages except quotas and other settings of the account.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  prefix = join("-", compact(["perennial", var.stage]))
  tags   = merge(var.tags, { perennial = local.prefix })

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
}
