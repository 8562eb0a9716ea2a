"""The command itself, with the real models, on one photo."""

import io

from PIL import Image as Pillow

from photocloak.core import manifest_root
from photocloak.engine.extractors import load_specs
from tests.plugin.receiver.harness import REAL, Receiver


def test_a_real_photo_through_the_command_line(receiver: Receiver) -> None:
    receiver.start(program=REAL)
    clean = (manifest_root() / "demo" / "astronaut.png").read_bytes()
    taken = receiver.send(clean, "/jobs", name="eileen.png", mode="subtle", person="Eileen")
    told = receiver.finished(taken.json["job"])
    (face,) = told["outcome"]["faces"]
    assert (told["state"], told["outcome"]["status"]) == ("done", "cloaked")
    assert set(face["similarity"]) == set(load_specs()) and face["person"] == "Eileen"
    # The same request again is the same job, done already.
    answer = receiver.send(clean, name="eileen.png", mode="subtle", person="Eileen")
    assert answer.status == 200 and answer.outcome["output"] == "eileen.jpg"
    with Pillow.open(io.BytesIO(answer.body)) as photo, Pillow.open(io.BytesIO(clean)) as before:
        assert photo.size == before.size and not photo.getexif()
    assert receiver.stop() == 0
