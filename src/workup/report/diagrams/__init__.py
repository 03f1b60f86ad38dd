"""Pictures of boxes and arrows, drawn as SVG without a script. Imports scenarios."""
