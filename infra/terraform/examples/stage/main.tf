# One stage, in the region and account of the current credentials.

module "perennial" {
  source = "../.."

  stage            = var.stage
  config           = jsondecode(file("${path.module}/deployment.json"))
  config_directory = "${path.module}/../../../config"
  packages         = "${path.module}/../../../../target/lambda"
  architecture     = var.architecture
  api_key_hashes   = var.api_key_hashes
  alarm_mail       = var.alarm_mail
  sign_in          = var.sign_in
}
