"""The cases: the language clinicians write, its loader and linter, and one folder per scenario."""
