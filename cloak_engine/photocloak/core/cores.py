"""Which of the machine's cores are ours."""

import os


def cores() -> tuple[int, ...]:
    """Return the numbers of the cores that the caller may run on; the machine may have more.

    So many threads are worth having. A process can be bound to some (`os.sched_setaffinity`);
    where the system binds none, they are all.
    """
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))
