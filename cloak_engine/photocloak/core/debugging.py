"""What `photocloak --debug` shows: where errors arose, in this process and in those it starts."""

import logging
import sys

_LOG = logging.getLogger("photocloak")


def show_debugging() -> None:
    """Have what this process logs appear on stderr."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
    _LOG.setLevel(logging.DEBUG)


def shows_debugging() -> bool:
    """Tell whether this process does."""
    return _LOG.isEnabledFor(logging.DEBUG)
