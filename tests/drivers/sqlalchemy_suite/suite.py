"""SQLAlchemy's tests for dialects. `test_sqlalchemy_suite.py` runs this file; it is no part of the tests that pytest finds."""

from sqlalchemy.testing.suite import *  # noqa: F403
