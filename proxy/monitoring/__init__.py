"""How the server is: whether it can be relied on (health.py), and what it counts (metrics.py).

Both are data about an instance. Who shows them to whom, over HTTP or otherwise, is no matter of theirs.
"""
