output "arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.function.arn
}

output "name" {
  description = "The function's full name."
  value       = aws_lambda_function.function.function_name
}

output "url" {
  description = "Its function URL, with a trailing slash; null if it has none."
  value       = one(aws_lambda_function_url.public[*].function_url)
}
