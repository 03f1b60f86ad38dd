"""All code about scenarios: what may be written, how it is read, checked and said. Imports the ground modules."""
