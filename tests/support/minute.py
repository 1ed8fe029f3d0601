"""Summaries come in buckets of a minute of the clock; a test whose traffic falls into two of them would
find half of it in each."""
import time

PERIOD = 60  # seconds


def leave_room(seconds):
    """Returns when so much of the minute under way is left."""
    left = PERIOD - time.time() % PERIOD
    if left < seconds:
        time.sleep(left + 0.5)
