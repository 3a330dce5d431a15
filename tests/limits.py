"""What an input from outside may cost, whatever it holds: 5 seconds and 2 GB.

with within_limits():
    read(damaged)
"""

import resource
import time
from contextlib import contextmanager

SECONDS, KILOBYTES = 5, 2 << 20


def peak():
    """The most memory that this process had at any time, in KB: what counts is what a test adds to
    it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def within_limits():
    began, before = time.monotonic(), peak()
    try:
        yield
    finally:
        seconds, more = time.monotonic() - began, peak() - before
        assert seconds < SECONDS, f"{seconds:.1f} seconds"
        assert more < KILOBYTES, f"{more >> 10} MB"
