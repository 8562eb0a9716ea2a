"""What a photo leaves behind goes back to the system."""

import subprocess
import sys

PROGRAM = """
import os
from photocloak.engine.memory import give_back_memory, reuse_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

reuse_memory()
blocks = [bytearray(100_000) for _ in range(1000)]
kept = blocks[::50]
del blocks
before = resident()
give_back_memory()
print(before - resident())
"""


def test_freed_blocks_between_used_ones_are_given_back() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert float(ran.stdout) > 40
