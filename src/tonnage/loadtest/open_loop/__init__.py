"""
What runs inside a generator's process, and nowhere else: the open-loop engine.

The process sends at moments that were computed before, on one timer that fires every send that is
due. A request costs no task, no timer and no future of its own: a pooled connection, a row of four
numbers, and a look at the oldest deadline now and then. The timer is a ``timerfd``, because
uvloop's own timers count in milliseconds.

It is told what to do by JSON lines on its standard input and tells how it goes by JSON lines on a
copy of its standard output; samples and schedules go through files.
"""
