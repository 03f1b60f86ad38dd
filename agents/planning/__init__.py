"""Exact and bounded planning over information states."""
