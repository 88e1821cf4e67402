"""Detectors: one file each, registered by name."""
