"""A person takes the journey. Imports scenarios, envs, agents and evaluation."""
