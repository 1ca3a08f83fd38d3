output "ingest_url" {
  description = "Where SDKs and webhooks send events."
  value       = module.ingest.url
}

output "api_url" {
  description = "Where the api answers, and unsubscribe links lead."
  value       = module.api.url
}

output "table_name" {
  description = "The table; it stays when the stage is destroyed."
  value       = aws_dynamodb_table.people.name
}

output "archive_bucket" {
  description = "The bucket of the archive; it stays when the stage is destroyed."
  value       = aws_s3_bucket.archive.id
}

output "alarm_topic" {
  description = "Subscribe here to hear of alarms."
  value       = aws_sns_topic.alarms.arn
}

output "dkim_records" {
  description = "Records for the DNS of the sender's domain: they verify it, and sign its mails. None where it is no identity of this stage."
  value = flatten([for identity in aws_sesv2_email_identity.sender : [
    for token in identity.dkim_signing_attributes[0].tokens :
    "${token}._domainkey.${identity.email_identity} CNAME ${token}.dkim.amazonses.com"
  ]])
}
