"""What AI assistants may ask, over the Model Context Protocol: a few tools that read, and short answers.

A tool (`tools`) is a function from a `Reader` and checked arguments to an `Answer`. `server` offers them over the
protocol; `stdio` and `http` carry it. Only these three need the package `mcp`, the extra of that name.
"""
