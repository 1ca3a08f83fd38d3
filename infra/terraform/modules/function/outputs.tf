output "arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.function.arn
}

output "name" {
  description = "The function's whole name."
  value       = aws_lambda_function.function.function_name
}

output "url" {
  description = "Where it answers over HTTPS, with a slash at its end; null where it does not."
  value       = one(aws_lambda_function_url.public[*].function_url)
}
