"""Agents that are fitted, a published method a file. Imports lower floors: envs, agents, agents.planning."""
