"""Measurements: speed as ratios within one run, what planners and learners reach, the library side by side."""
