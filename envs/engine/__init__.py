"""A batch of journeys and the kernel that advances it. Imports envs.model."""
