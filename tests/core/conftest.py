"""Property tests without deadlines."""

from __future__ import annotations

from hypothesis import settings

# Machines are shared: the time of one example says nothing.
settings.register_profile("coffey", deadline=None, max_examples=60)
settings.load_profile("coffey")
