"""One client's session: messages in, messages out, without a socket.

`session` receives messages, `startup` opens it, `transaction` is the table of its transaction, `settings` its run-time
parameters, `prepared` its statements and portals, `execute` and `rows` run plans, `utility` and `copy` the commands that
are not plans of SQL. Nothing here knows a transport.
"""
