"""Stands in for `photocloak cloak` behind GIMP: inverts the faces it is told of, in plain TIFF.

`orders.json` beside it says what to do: `{"real": command}`, or `{"faces": [[x, y, w, h], …]}`, or
a `status` and `reason` to hold back with; with `seconds` it takes that long. What GIMP hands
over is kept beside it.
"""

import hashlib
import json
import os
import shutil
import struct
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
orders = json.loads((HERE / "orders.json").read_text())
photo, out = Path(sys.argv[-1]), Path(sys.argv[sys.argv.index("-o") + 1])
shutil.copy2(photo, HERE / f"handed{photo.suffix}")
if "real" in orders:
    os.execv(orders["real"], [orders["real"], *sys.argv[1:]])


def inverted(data: bytearray, faces: list[list[int]]) -> bytearray:
    """Invert rectangles of an uncompressed TIFF in little-endian order."""
    (at,) = struct.unpack_from("<I", data, 4)
    tags = {}
    for number in range(struct.unpack_from("<H", data, at)[0]):
        tag, kind, count, value = struct.unpack_from("<HHII", data, at + 2 + 12 * number)
        code, size = {3: ("H", 2), 4: ("I", 4)}.get(kind, ("B", 1))
        place = at + 10 + 12 * number if count * size <= 4 else value
        tags[tag] = struct.unpack_from(f"<{count}{code}", data, place)
    width, rows, bits = tags[256][0], tags[278][0], tags[258]
    step = sum(bits) // 8
    colours = step if len(bits) in (1, 3) else step - bits[0] // 8  # alpha stays
    for x, y, wide, high in faces:
        for row in range(y, y + high):
            line = tags[273][row // rows] + (row % rows) * width * step
            for column in range(x, x + wide):
                for byte in range(line + column * step, line + column * step + colours):
                    data[byte] ^= 0xFF
    return data


for step in range(10):
    time.sleep(orders.get("seconds", 0) / 10)
    sys.stderr.write(json.dumps({"event": "step", "share": step / 10}) + "\n")
    sys.stderr.flush()
if "status" in orders:
    told = {"status": orders["status"], "reason": orders["reason"], "output": None}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.exit(5)
made = photo.read_bytes()
if photo.suffix == ".tif":
    made = bytes(inverted(bytearray(made), orders["faces"]))
out.mkdir()
(out / photo.name).write_bytes(made)
faces = [{"box": box, "cloaked": True} for box in orders["faces"]]
told = {"status": "cloaked", "reason": None, "output": str(out / photo.name), "faces": faces}
told["output_sha256"] = hashlib.sha256(made).hexdigest()
sys.stdout.write(json.dumps(told) + "\n")
