"""Agents that are fitted, a published method a file. Imports agents and agents.planning."""
