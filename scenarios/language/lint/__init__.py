"""What is wrong with a scenario. Imports scenarios.language and its reading."""
