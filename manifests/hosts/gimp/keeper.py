"""Keeps the private folder of one cloaking, and runs photocloak in it: `python3 -I keeper.py BASE`.

GIMP kills a plug-in without a word when its Cancel is pressed, so a plug-in cannot clear up after
itself. This program can: when its standard input ends, whoever ended it and however, it kills
photocloak with all of its processes and removes the folder. If it is killed itself, the kernel
kills photocloak, and the next keeper removes the folder.

On standard output, a JSON object a line: first `{"folder": …}`; after the request, which is a line
`{"command": […], "publish": path or null}`, photocloak's events as they come, and last
`{"done": …, "code": …, "said": …, "outcome": …}`: whether photocloak vouches for an output, the
exit code, the last line that was no event, and what `--json` told of the photo. Part of photocloak,
GPL-3.0-or-later.
"""

import ctypes
import fcntl
import json
import os
import resource
import secrets
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

DONE = ("cloaked", "already_cloaked", "done_before")
"""What has an output that may be shown; exit code 0 is demanded as well."""

POLL = 0.1  # seconds; only for a program that has closed its standard error and goes on
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(base: Path) -> None:
    """Keep a folder until standard input ends."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _end)
    usual = os.umask(0o077)
    folder, lock = make_folder(base)
    try:
        sweep(base)
        _tell(folder=str(folder))
        line = sys.stdin.buffer.readline()
        if line:
            request = json.loads(line)
            told = run(request["command"], folder)
            done = is_done(told)
            if done and request["publish"] is not None:
                told["said"] = publish(told["outcome"], Path(request["publish"]), 0o666 & ~usual)
                done = not told["said"]
            _tell(done=done, **told)
            while os.read(0, 4096):
                pass
    except BrokenPipeError:  # the plug-in is gone
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def make_folder(base: Path) -> tuple[Path, int]:
    """Make a folder for the user alone; return it with the lock that says it is in use."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SystemExit(f"{base}: is not a folder of yours; move it away.")
    base.chmod(0o700)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=base))
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def sweep(base: Path) -> None:
    """Remove the folders of keepers that were killed."""
    for folder in base.glob("run-*"):
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:  # being made this moment, or being removed
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def run(command: list[str], folder: Path) -> dict[str, Any]:
    """Run photocloak, pass its events on, and return how it ended; never outlive standard input."""
    said, outcome = "", None
    with (folder / "told").open("w+b") as told:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.PIPE,
                cwd=folder,
                start_new_session=True,
                preexec_fn=_before_exec(os.getpid()),  # noqa: PLW1509  there are no threads
            )
        except OSError as error:
            return {"code": 127, "said": f"{command[0]}: {error.strerror}", "outcome": None}
        try:
            said = _listen(child)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        told.seek(0)
        with suppress(ValueError):
            outcome = json.loads(told.readline())
    return {"code": child.returncode, "said": said, "outcome": outcome}


def _before_exec(parent: int) -> Any:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the photo

    return prepare


def _listen(child: "subprocess.Popen[bytes]") -> str:
    """Pass the child's events on until it ends; return the last line that was none."""
    assert child.stderr is not None
    said, rest, errors = b"", b"", child.stderr.fileno()
    with selectors.DefaultSelector() as waiting:
        waiting.register(0, selectors.EVENT_READ)
        waiting.register(errors, selectors.EVENT_READ)
        open_ = True
        while open_ or child.poll() is None:
            for key, _ in waiting.select(None if open_ else POLL):
                text = os.read(key.fd, 65536)
                if key.fd == 0 and not text:
                    raise SystemExit
                if key.fd == errors:
                    open_ = bool(text) or waiting.unregister(errors) is None
                    *lines, rest = (rest + text).split(b"\n")
                    said = _pass_on(lines) or said
    return (rest or said).decode("utf-8", "replace")


def _pass_on(lines: list[bytes]) -> bytes:
    said = b""
    for line in lines:
        if line.startswith(b"{"):
            sys.stdout.buffer.write(line + b"\n")
        elif line.strip():
            said = line
    sys.stdout.buffer.flush()
    return said


def is_done(told: dict[str, Any]) -> bool:
    """Tell whether photocloak vouches for an output."""
    outcome = told["outcome"]
    return told["code"] == 0 and outcome is not None and outcome["status"] in DONE


def publish(outcome: dict[str, Any], path: Path, mode: int) -> str:
    """Put the output at a path, whole or not at all; return why that failed, or nothing."""
    content = Path(outcome["output"]).read_bytes()
    temporary = path.with_name(f".photocloak-{os.getpid()}-{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode), "r+b") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            if sha256(file.read()).hexdigest() != outcome["output_sha256"]:
                return (
                    f"{path}: what was written is not what photocloak made; nothing was exported."
                )
        temporary.replace(path)
    except OSError as error:
        return f"{path}: cannot be written ({error.strerror}); choose another place."
    finally:
        temporary.unlink(missing_ok=True)
    return ""


def _tell(**what: Any) -> None:
    sys.stdout.buffer.write(json.dumps(what).encode() + b"\n")
    sys.stdout.buffer.flush()


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit


if __name__ == "__main__":
    main(Path(sys.argv[1]))
