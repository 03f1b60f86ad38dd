"""Prediction from several modalities, a method a file, torch inside. Imports the ground only; `import workup` imports none of it."""
