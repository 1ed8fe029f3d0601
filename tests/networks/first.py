"""Before programs that only compute: the link and the hosts of a network do not wait for a processor, or what is
measured on it would be the load of this machine."""
import os


def go(place):
    """This thread, and what it begins, goes first, in real time; the higher the place the sooner."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(place))
    except OSError:
        pass  # a container that may not: then it is late, and late_max_ms says by how much


def no_more():
    """As others, again."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
