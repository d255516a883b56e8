"""SQLite files: who owns them, who reads, who writes, when a commit is on disk, and what an SQLite error means.

cluster     a directory of databases (or one file), its owner lock, CREATE/DROP/ALTER DATABASE on files
database    one file: reader pool, the writer's queue, work in threads, commit, catalog version
locks       the lock table of all databases: relations, rows, advisory locks (`lock_modes`, `deadlock`, `changed_rows`)
disk        syncs and durable changes of names, beside SQLite's own
connection  one SQLite connection, set up as PostgreSQL semantics need it
errors      an SQLite exception becomes a SqlError; `violations` names the constraint and the offending row

How a session uses it (every call is made on the event loop; nothing here is a coroutine):

    reader = database.take_reader()                     # never waits
    reader.require(plan.functions); reader.budget(STEPS)
    rows = reader.execute(sql, binds).fetchall()        # apsw.Error: translate(); MustWait: run again in a thread
    database.give_reader(reader)

    lease = database.lease_writer(session)              # a WriterLease, or a Future of one
    lease.connection.execute(sql, binds)
    flushed = database.commit(lease)                    # None, or a Future: answer the client when it is done
    database.release(lease)                             # instead of commit: rolls back

    future = database.run_in_thread(connection, function)
"""
