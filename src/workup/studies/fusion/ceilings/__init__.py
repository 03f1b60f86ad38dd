"""Ceilings of the tasks: `closed` works them out, `simulated` measures them on patients, and the two share no code.

python -m workup.studies.fusion.ceilings [--patients 2000000]     holds one against the other
"""
