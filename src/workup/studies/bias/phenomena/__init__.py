"""Phenomena of data collection, one a file: what a cohort shows, what it must show by the exact law, and in plain words why.

A module defines `PHENOMENON`; `phenomena()` finds them.
"""
