"""A page of this machine's own: on the loopback interface, for one user, behind a secret link.

    with LocalServer(app) as server:
        print(server.link)
        server.run()

`guard` says who may ask, `peers` whose programs may, `local` opens the port and ends in time.
"""

from photocloak.plugin.server.guard import Guard
from photocloak.plugin.server.local import LocalServer

__all__ = ["Guard", "LocalServer"]
