"""The MCP server: tasks, and SQL on demand, for agents.

    server      puts the tools of the chosen profiles together; over which transport it is served is no matter of it
    task_tools  Astrotask's eight tools, by the same names and arguments, and claiming, releasing, searching
    task_views  what those tools answer: tasks with what is around them, as JSON
    sql_tools   execute_sql, search_objects, explain_sql, health_check
    catalog     what search_objects asks the catalogs
    database    a session for each call
    changes     notifications of the database as change events of MCP

Served at /mcp of the server's HTTP port (clients.http), and by `astro mcp` over standard input and output (clients.cli.mcp).
Every call has a session of its own, so nothing that one agent's SQL sets is there for the next, and a server that was restarted
between two calls is found again.
"""
