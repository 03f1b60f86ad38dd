"""Tables: their files, what their tests cost, and the scenario that is made of them. Imports scenarios and envs."""
