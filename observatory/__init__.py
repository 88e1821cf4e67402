"""CloudWatch Observatory: an analysis workbench for the health of services."""

__version__ = "0.1.0"
