"""The command `astro`: tasks for people and agents, from a terminal.

    main        the entrance: which module has which command, exit codes
    invocation  the options that all commands take, and the settings behind them (settings.py)
    access      the way to the database: the server's socket, else the file itself
    output      tables, trees, JSON; problems.py: what went wrong, why, and what to type next
    one module a group of commands

`astro list` is to start in less than 100 ms: commands, rich, tomllib and the like are imported when they are needed, and the
server's code only in direct mode. Data goes to standard output, everything else to standard error.
"""
