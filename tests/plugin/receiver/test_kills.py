"""kill -9 at any moment: nothing lost, nothing twice, nothing clean given out as cloaked."""

from tests.lab.serve_load import Load
from tests.plugin.receiver.harness import Receiver


def test_a_short_load_with_kills(receiver: Receiver) -> None:
    """The long one is `python -m tests.lab.serve_load`."""
    load = Load(receiver, photos=12, clients=6, kills=2)
    load.run(within=600)
    load.check()
