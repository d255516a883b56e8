"""The PostgreSQL frontend/backend protocol, versions 3.0 and 3.2, without I/O.

Bytes go in, messages come out, and the reverse; both directions, so that a server and a client share one codec.
Standard library only: clients import this package and nothing else of the server.
"""
