"""The real `photocloak serve` with extractors that are fakes: `python -m … OPTIONS`."""

import sys

from photocloak.plugin.commands import watch
from photocloak.plugin.main import run
from tests.plugin.watch.fake_daemon import open_coordinator


def main() -> None:
    vars(watch)["open_coordinator"] = open_coordinator
    sys.exit(run(["serve", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
