"""Fusion methods, one a file: each has FUSIONS, name -> build. `workup.agents.fusion.registry` finds them."""
