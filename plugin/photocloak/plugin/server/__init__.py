"""A server of this machine's own: on the loopback interface or a Unix socket, behind a secret.

    with LocalServer(app) as server:
        print(server.link)
        server.run()

`guard` says who may ask, `access` how the secret is shown, `peers` whose programs may; `serving`
answers, and `local` opens the port of a page and ends in time. The page of `photocloak review`
and the receiver (`photocloak serve`) share them.
"""

from photocloak.plugin.server.access import ByHeader, ByLink, Refusal
from photocloak.plugin.server.guard import Guard
from photocloak.plugin.server.local import LocalServer, loopback_hosts
from photocloak.plugin.server.serving import Serving

__all__ = ["ByHeader", "ByLink", "Guard", "LocalServer", "Refusal", "Serving", "loopback_hosts"]
