output "ingest_url" {
  description = "The URL to which SDKs and webhooks send events."
  value       = module.ingest.url
}

output "api_url" {
  description = "The URL of the API and of unsubscribe links."
  value       = module.api.url
}

output "dashboard_url" {
  description = "The URL of the dashboard; its callback for the identity provider is this and sign-in/callback."
  value       = module.dashboard.url
}

output "table_name" {
  description = "The table; it is kept when the stage is destroyed."
  value       = aws_dynamodb_table.people.name
}

output "archive_bucket" {
  description = "The bucket of the archive; it is kept when the stage is destroyed."
  value       = aws_s3_bucket.archive.id
}

output "alarm_topic" {
  description = "The topic of the alarms: subscribe to it."
  value       = aws_sns_topic.alarms.arn
}

output "dkim_records" {
  description = "DNS records of the sender's domain, which verify it and sign its mails. None if it is not an identity of this stage."
  value = flatten([for identity in aws_sesv2_email_identity.sender : [
    for token in identity.dkim_signing_attributes[0].tokens :
    "${token}._domainkey.${identity.email_identity} CNAME ${token}.dkim.amazonses.com"
  ]])
}
