# The one place that waits. A story names a condition; nothing ever waits for an amount of time to
# pass, except where the story is about time itself.

import os
import time

# Sanitizers slow a program five to twenty times; what is bounded by time gets that much more.
SLOWNESS = 5.0 if os.environ.get("PENSTOCK_SANITIZER") else 1.0
# They also keep shadows of all memory, and the one for addresses keeps what was freed.
LARGENESS = {"thread": 8, "address": 40}.get(os.environ.get("PENSTOCK_SANITIZER"), 1)
PATIENCE = 10.0 * SLOWNESS
_STEP = 0.004


class NeverHappened(AssertionError):
    pass


def until(condition, what, seconds=None):
    """The first true value of `condition()`; fails, naming `what`, when there is none in time.

    `what` may be a function that tells how things stand then.
    """
    patience = PATIENCE if seconds is None else seconds * SLOWNESS
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            told = what() if callable(what) else what
            raise NeverHappened(f"not within {patience:g} s: {told}")
        time.sleep(_STEP)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self):
        self.restart()

    def restart(self):
        self._start = time.monotonic()

    @property
    def seconds(self):
        return time.monotonic() - self._start

    def assert_between(self, earliest, latest):
        """Lateness is forgiven in proportion to a sanitizer's slowness, earliness never."""
        seconds = self.seconds
        assert earliest <= seconds <= latest * SLOWNESS, (
            f"took {seconds:.3f} s; expected {earliest:g} to {latest * SLOWNESS:g} s")
