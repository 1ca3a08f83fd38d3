output "perennial" {
  description = "Addresses and names of the stage."
  value       = module.perennial
}
