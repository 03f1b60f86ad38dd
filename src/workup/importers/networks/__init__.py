"""Readers of Bayesian-network files, a format a file. Imports envs.model."""
