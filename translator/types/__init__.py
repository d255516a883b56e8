"""Data types: a file a family, each type with PostgreSQL's four functions (input, output, receive, send)."""
