"""Studies: what the records of journeys show, and what they hide."""
