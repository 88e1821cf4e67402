"""Notebooks as programs: found by name, their parameters checked, executed by papermill, exported and recorded."""
