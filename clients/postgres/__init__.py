"""A small PostgreSQL client over `proxy.wire`: what the bundled clients reach the database with.

It is small because importing a driver costs a command-line program 200 ms. It speaks the protocol without I/O
(`conversation`), and two thin shells move the bytes:

    Connection        waits; over a SocketStream, or over a DirectStream: a session in this process that opened the file itself
                      (direct.py, the one module that imports the server)
    AsyncConnection   awaits; over a pair of asyncio streams, of a socket or of a session in the server's own process

    with Connection.open(SocketStream.connect("127.0.0.1", 45432), user="astro", database="astrotask") as connection:
        connection.execute("SELECT title FROM tasks WHERE id = $1", "TASK-1").rows   # [("New feature",)]
        connection.run(listing.get("TASK-1"))                                        # an operation: clients.tasks

Values come as Python's (values.py); everything goes out as text whose type the server infers. Errors of the server are
DatabaseError with PostgreSQL's fields; a connection that could not be made or that broke is ConnectionFailed.
"""
