"""Notebooks that are run when they are due."""
