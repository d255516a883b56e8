"""Tasks: what the CLI, the MCP server and a web page do with them, once for all of them.

Every function here is an *operation* (clients.postgres.operation): it yields SQL and knows no connection, so the same code
runs over a socket, in a process that opened the file itself, and inside the server, waiting or awaiting:

    from clients.postgres.connection import Connection
    from clients.tasks import claims, editing, listing, migrations
    from clients.tasks.model import Actor, NewTask

    if connection.run(migrations.version()) < migrations.LATEST:
        connection.run(migrations.migrate())
    me = Actor("agent-7", session="…")
    [task] = connection.run(editing.add(me, [NewTask("New feature", priority=80, tags=("ui",))]))
    connection.run(listing.list_tasks(statuses=("pending",)))
    claim = connection.run(claims.claim_next(me, lease=900))
    connection.run(editing.set_status(me, [claim.id], "done", token=claim.token))

With an AsyncConnection it is `await connection.run(…)`. An operation that writes is one transaction, and one batch in the change
log, attributed to the Actor. What it refuses it refuses by a TaskError (errors.py) that carries the facts; what to type next is
for each client to say. After a commit that changed something, `NOTIFY astro` carries the number of its last change:
`LISTEN astro`, then `history.since(number)`.

    model         what there is: Task, Detail, Claim, ContextSlice, Change, Actor, the words for status and priority
    listing       reading: list, get, detail, ready, search
    editing       add, update, set_status, delete
    claims        claim, claim_next, heartbeat, release
    dependencies  add, remove, cycles, all of them
    contexts      notes on tasks
    history       the change log, undo, since
    migrations    the tables: Astrotask's own three in schema public, ours in schema astro
    journal       how a row is changed so that the log has it

The tables are Astrotask's; its own programs may use them at the same time. They do not write our log, and know no claims.
"""
