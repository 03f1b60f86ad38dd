"""From foreign files to scenarios. Imports scenarios and envs."""
