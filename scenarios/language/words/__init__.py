"""How a scenario is said in plain words, and what differs between two. Imports scenarios.language, its reading and lint."""
