"""From text to a checked scenario. Imports scenarios.language."""
