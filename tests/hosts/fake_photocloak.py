"""Stands in for the command `photocloak`; how it behaves is the name of the output folder."""

import json
import os
import signal
import sys
import time
from pathlib import Path

arguments = sys.argv[1:]
folder = Path(arguments[arguments.index("-o") + 1])
photos = [Path(name) for name in arguments[arguments.index("--") + 1 :]]
behaviour = folder.name
remark = "a face got the budget of strong" if behaviour == "raised" else None
notes = Path(os.environ["FAKE_NOTES"])


def say(**event: object) -> None:
    print(json.dumps(event), file=sys.stderr, flush=True)  # noqa: T201


with (notes / behaviour).open("a") as file:
    file.write(json.dumps({"pid": os.getpid(), "arguments": arguments}) + "\n")
if behaviour == "fails":
    print("photocloak: settings.toml: is not valid", file=sys.stderr)  # noqa: T201
    sys.exit(3)
if arguments[0] == "review":
    print("http://127.0.0.1:9/", flush=True)  # noqa: T201
    while not (notes / "published").exists():
        time.sleep(0.1)
    for photo in photos:
        (notes / photo.name).write_bytes(photo.read_bytes())
    sys.exit(0)
if behaviour == "outdated":  # the Python that it was installed with is gone
    sys.exit("ModuleNotFoundError: No module named 'photocloak'")
if behaviour == "lies":
    sys.exit(0)
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number, photo in enumerate(photos, 1):
    say(photo=number, event="begin", total=len(photos), source=str(photo))
    say(photo=number, event="step", done=1, steps=4)
    if behaviour == "crashes":
        signal.raise_signal(signal.SIGSEGV)
    if behaviour == "killed":
        os.killpg(0, signal.SIGKILL)
    if behaviour in ("hangs", "stubborn", "cancelled") or (behaviour, number) == ("half", 2):
        time.sleep(600)
    if behaviour == "slow":
        time.sleep(2)
    if held := {"faceless": "no_face", "weak": "too_weak"}.get(behaviour):
        say(photo=number, event="end", status=held, reason=f"{photo}: {'long reason ' * 40}")
        continue
    folder.mkdir(parents=True, exist_ok=True)
    (folder / photo.name).write_bytes(b"cloaked " + photo.read_bytes()[:2])
    say(photo=number, event="end", status="cloaked", reason=remark)
