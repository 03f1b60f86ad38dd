"""The commands of `workup`, by what they are about. Everything slow is imported inside the commands."""
