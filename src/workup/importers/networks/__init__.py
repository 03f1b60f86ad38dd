"""Networks: readers of their files, a format a file, and the scenario that is made of one. Imports scenarios and envs."""
