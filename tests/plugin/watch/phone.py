"""docs/howto/phone.md, done as it is written: a phone and a computer at home, with Syncthing."""

import re
import time
from pathlib import Path

from tests.markdown import BY_NAME, blocks
from tests.plugin.watch.harness import Place, files, until
from tests.plugin.watch.syncthing import Syncthing


class Home:
    """The two machines; the computer's watched folder and output are those of the place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.phone = Syncthing(place.home / "phone", "phone")
        self.server = Syncthing(place.home / "server", "server")
        self.camera, self.album = self.phone.home / "DCIM", self.phone.home / "Cloaked"
        place.inbox, place.out = self.server.home / "camera", self.server.home / "cloaked"

    def set_up(self) -> None:
        """Do what the page says, on both machines."""
        self.phone.start()
        self.server.start()
        self.phone.meet(self.server)
        self.phone.share("camera", self.camera, "sendonly", self.server)
        self.phone.share("cloaked", self.album, "receiveonly", self.server)
        (commands,) = (
            one for one in blocks(BY_NAME["docs/howto/phone.md"], "sh") if "PHONE=" in one
        )
        commands = re.sub(r"PHONE=\S+", f"PHONE={self.phone.id}", commands)
        *lines, watch = commands.strip().splitlines()
        assert watch == "photocloak watch ~/camera -o ~/cloaked --preset web"
        self.server.run("sh", "-euc", "\n".join(lines))
        self.server.find(self.phone)

    def scan(self) -> None:
        """Have Syncthing see at once what has changed on both sides."""
        self.phone.scan("camera")
        self.server.scan("cloaked")

    def has(self, name: str, *, gone: bool = False) -> None:
        """Wait until a cloak is on the phone, whole, as the server has it; or is not any more."""

        def arrived() -> bool:
            time.sleep(0.5)
            self.scan()
            mine, theirs = self.album / name, self.place.out / name
            if gone:
                return not mine.exists()
            return mine.exists() and theirs.exists() and mine.read_bytes() == theirs.read_bytes()

        until(arrived, 300, lambda: f"{self.place.said()}{files(self.album)}")

    def end(self) -> None:
        self.place.end()
        self.phone.kill()
        self.server.kill()


def photos(folder: Path) -> list[str]:
    """Return what lies in a folder that Syncthing keeps, without its own files."""
    return [one for one in files(folder) if not one.startswith(".st")]
