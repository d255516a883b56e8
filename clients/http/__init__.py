"""The HTTP port of a server: health, metrics and, at /mcp, the MCP server.

It imports nothing of the server. The `litephant` command, which composes the two, hands it a `Backend` (backend.py): sessions that
need no socket, a report of the server's health, and its measurements.
"""
