"""Publishes the album of a folder, in a process of its own; says "ready" before it begins."""

import sys
import time
from pathlib import Path

from photocloak.plugin import Settings
from photocloak.plugin.pipeline import process_photo
from tests.plugin.review.conftest import QuickCloaker, open_desk


def main() -> None:
    vars(process_photo)["Cloaker"] = QuickCloaker
    desk = open_desk(Path(sys.argv[1]), Settings())
    while desk.maker.busy:
        time.sleep(0.01)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    desk.publisher.start(desk.album.photos)
    time.sleep(3600)


if __name__ == "__main__":
    main()
