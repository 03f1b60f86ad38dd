"""Agents compared on the same patients. Imports scenarios, envs and agents."""
