"""Readers of tables and of what their tests cost. Imports scenarios."""
