"""What the environments of every scenario must keep to. Imports all of envs."""
