"""PostgreSQL SQL in, SQLite SQL out: the pure half of litephant.

Nothing here knows a socket or a file. `README.md` beside this file lists the stages and who may import whom.
"""
