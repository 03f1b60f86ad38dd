"""Scenarios as tests of policies: expectations, ceilings, checks. Imports scenarios, envs and agents."""
