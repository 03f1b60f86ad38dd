"""Agents that need no training. Imports agents and agents.planning."""
