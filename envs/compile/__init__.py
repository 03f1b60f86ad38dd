"""From a scenario to a World. Imports envs.model."""
