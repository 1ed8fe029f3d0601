"""When things were, as a client's clock has it and as events have it.

A client notes the time before it asks and after it was answered. What a capture shows of it was in between,
but for the capture's error: its times are of whole microseconds.
"""
import collections
import datetime

ERROR = 2000  # nanoseconds

Call = collections.namedtuple("Call", "begin end")  # what a client notes, in nanoseconds since 1970


def nanoseconds(text):
    """An event's time, since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


def span(event):
    """Begin and end of a transaction; its duration is what is between them."""
    begin = nanoseconds(event["event"]["start"])
    return begin, begin + event["event"].get("duration", 0)


def strays(events, calls):
    """The events that are not within one of the client's calls, each with `begin` and `end`."""
    found = []
    for event in events:
        begin, end = span(event)
        if not any(call.begin - ERROR <= begin and end <= call.end + ERROR for call in calls):
            found.append((event["event"]["start"], event["event"].get("duration"), event.get("query")))
    return found
