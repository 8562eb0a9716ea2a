"""Whose programs connect: the kernel knows the user of each end of a connection on this machine.

The link with its token is an argument of the browser that is started, and every user of a machine
may read the arguments of everybody's programs. What another user learns so is of no use to them.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""Connections of IPv4, and of IPv6 programs that speak IPv4."""

ESTABLISHED = "01"
"""State of a connection both of whose ends are open."""


def of_same_user(environ: "WSGIEnvironment") -> bool:
    """Tell whether a request on the loopback interface comes from a program of this user, or root.

    Where the kernel does not tell, the token alone decides.
    """
    ports = int(environ["REMOTE_PORT"]), int(environ["SERVER_PORT"])
    try:
        users = [user for here, there, user in _connections() if (here, there) == ports]
    except OSError:
        return True
    return bool(users) and set(users) <= {0, os.getuid()}


def _connections() -> Iterator[tuple[int, int, int]]:
    """Give the loopback's open connections: (own port, the other's port, user of the own end)."""
    first, second = TABLES
    tables = [first.read_text("ascii")]
    if second.exists():  # else IPv6 is switched off
        tables.append(second.read_text("ascii"))
    for line in "".join(table.partition("\n")[2] for table in tables).splitlines():
        _, here, there, state, _, _, _, user, *_ = line.split()
        if state == ESTABLISHED:
            yield _port(here), _port(there), int(user)


def _port(end: str) -> int:
    """Return the port of an end, which stands as `0100007F:1F90`."""
    return int(end.rpartition(":")[2], 16)
