"""Where samples come from: a real Prometheus, or the demo shop."""
