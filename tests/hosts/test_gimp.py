"""GIMP's plug-in as far as it needs no GIMP: the keeper, the command, the words.

`tests/hosts/gimp3/` drives the real program, in a root of Debian 13.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photocloak.core import manifest_root

PLACE = manifest_root() / "hosts" / "gimp"
KEEPER = PLACE / "keeper.py"
CLOAKED = b"a cloaked photo"


@pytest.fixture(scope="module")
def cloaking() -> Any:
    """Return the plug-in's module as Python imports it there, without leaving bytecode here."""
    module = ModuleType("cloaking")
    sys.modules["cloaking"] = module  # dataclasses look their module up
    exec(compile((PLACE / "cloaking.py").read_text(), "cloaking.py", "exec"), module.__dict__)
    return module


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], str]:
    """Return what makes a program that stands in for photocloak and behaves as told."""

    def make(body: str) -> str:
        path = tmp_path / "photocloak"
        head = f"""\
            #!{sys.executable} -IS
            import hashlib, json, os, signal, subprocess, sys, time
            from pathlib import Path
            notes, out = Path({str(tmp_path)!r}), Path(sys.argv[sys.argv.index("-o") + 1])
            photo = Path(sys.argv[-1])
            (notes / "pid").write_text(str(os.getpid()))
            def say(**event): print(json.dumps(event), file=sys.stderr, flush=True)
            def done(**more):
                out.mkdir()
                (out / photo.name).write_bytes({CLOAKED!r})
                told = {{"status": "cloaked", "reason": None, "output": str(out / photo.name),
                    "output_sha256": hashlib.sha256({CLOAKED!r}).hexdigest(), "faces": []}}
                print(json.dumps(told | more), flush=True)
            """
        path.write_text(textwrap.dedent(head) + textwrap.dedent(body))
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def base(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "XDG_CACHE_HOME": str(tmp_path / "c"),
    }


def runs(base: dict[str, str]) -> list[Path]:
    return list(Path(base["XDG_CACHE_HOME"], "photocloak", "gimp").glob("run-*"))


def eventually(true: Callable[[], object], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def cloak(cloaking: Any, base: dict[str, str], program: str, **more: Any) -> dict[str, Any]:
    """Have a photo cloaked as the plug-in does."""
    with cloaking.Keeper(KEEPER, base) as keeper:
        photo = keeper.folder / "photo.tif"
        photo.write_bytes(b"clean")
        wish = cloaking.Wish("balanced", "keep")
        words = cloaking.command(program, photo, keeper.folder / "cloaked", wish)
        told: dict[str, Any] = keeper.cloak(words, more.pop("shares", lambda _share: None), **more)
        told["bytes"] = Path(told["output"]).read_bytes()
        return told


def test_a_photo_is_cloaked_in_a_folder_for_the_user_alone(
    cloaking: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path
) -> None:
    program = fake("""
        folder = photo.parent
        modes = [oct(f.stat().st_mode & 0o777) for f in (folder, folder.parent)]
        (notes / "modes").write_text(json.dumps(modes))
        say(photo=1, event="step", share=0.25)
        print("a warning", file=sys.stderr)
        say(photo=1, event="end", share=1.0)
        done()
    """)
    shares: list[float] = []
    told = cloak(cloaking, base, program, shares=shares.append)
    assert told["bytes"] == CLOAKED
    assert shares[-1] == 1.0 and 0.25 in shares
    assert json.loads((tmp_path / "modes").read_text()) == ["0o700", "0o700"]
    assert not runs(base)


HELD_BACK = """
    print(json.dumps({"status": STATUS, "reason": f"{photo}: the reason", "output": None}))
    print(f"photocloak: {photo}: the reason", file=sys.stderr)
    sys.exit(5)
"""


@pytest.mark.parametrize(
    "body, words",
    [
        (
            HELD_BACK.replace("STATUS", "'too_weak'"),
            "^the reason. Choose a stronger mode",
        ),
        (HELD_BACK.replace("STATUS", "'no_face'"), "^the reason. Faces must be upright"),
        (HELD_BACK.replace("STATUS", "'failed'"), r"^the reason\.$"),
        (
            "print('photocloak: settings.toml: is wrong', file=sys.stderr); sys.exit(3)",
            r"^settings.toml: is wrong\.$",
        ),
        ("sys.exit(1)", "photocloak ended with status 1"),
        ("sys.exit(0)", "photocloak ended with status 0"),
        ("os.kill(os.getpid(), signal.SIGKILL)", r"was killed \(signal 9\); memory"),
        ("os.abort()", r"was killed \(signal 6\)"),
        ("say(event='step'); os.close(2); time.sleep(0.5); sys.exit(4)", "with status 4"),
        ("print('{not json', file=sys.stdout); sys.exit(0)", "with status 0"),
    ],
)
def test_whatever_else_happens_is_told_in_words(
    cloaking: Any, base: dict[str, str], fake: Callable[[str], str], body: str, words: str
) -> None:
    with pytest.raises(cloaking.CloakError, match=words) as told:
        cloak(cloaking, base, fake(body))
    assert str(runs) not in str(told.value) and "run-" not in str(told.value)
    assert not runs(base)


def test_a_program_that_is_gone_is_told(cloaking: Any, base: dict[str, str]) -> None:
    with pytest.raises(cloaking.CloakError, match=r"/nowhere: .*run `photocloak install gimp`"):
        cloak(cloaking, base, "/nowhere")
    assert not runs(base)


def test_an_environment_that_an_update_has_broken_is_told(
    cloaking: Any, base: dict[str, str], tmp_path: Path
) -> None:
    program = tmp_path / "photocloak"
    program.write_text(f"#!{sys.executable} -IS\nfrom photocloak.plugin.main import main\n")
    program.chmod(0o755)
    words = r"^ModuleNotFoundError: .*update of the system\. Install it again, run `photocloak in"
    with pytest.raises(cloaking.CloakError, match=words):
        cloak(cloaking, base, str(program))
    assert not runs(base)


def test_the_environment_of_gimp_stays_behind(
    cloaking: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path
) -> None:
    foreign: tuple[str, ...] = ("PYTHONPATH", "PYTHONHOME", "GI_TYPELIB_PATH", "GIMP3_PLUGINDIR")
    foreign += ("LD_LIBRARY_PATH",)
    foreign += ("GEGL_PATH", "BABL_PATH", "GDK_PIXBUF_MODULE_FILE", "GTK_PATH", "LD_PRELOAD")
    program = fake("(notes / 'environ').write_text(json.dumps(dict(os.environ))); done()")
    cloak(cloaking, base | dict.fromkeys(foreign, "/gimp") | {"LANG": "de_DE.UTF-8"}, program)
    seen = json.loads((tmp_path / "environ").read_text())
    assert set(base) | {"LANG"} <= set(seen)
    assert not [name for name, value in seen.items() if value == "/gimp"]


RUNNING = """
    child = subprocess.Popen(["sleep", "600"])
    (notes / "child").write_text(str(child.pid))
    say(photo=1, event="step", share=0.5)
    time.sleep(600)
"""
# What a plug-in does, in a process that can be killed.
PLUGIN = """
import importlib.util, os, sys
from pathlib import Path
sys.dont_write_bytecode = True
sys.path.insert(0, {place!r})
import cloaking
with cloaking.Keeper(Path({place!r}, "keeper.py"), {base!r}) as keeper:
    (keeper.folder / "photo.tif").write_bytes(b"clean")
    print(keeper._process.pid, flush=True)
    {then}
    words = cloaking.command({program!r}, keeper.folder / "photo.tif", keeper.folder / "o",
        cloaking.Wish("balanced", "keep"))
    keeper.cloak(words, lambda share: None)
"""


@pytest.fixture
def started(base: dict[str, str], tmp_path: Path) -> Callable[..., tuple[Any, int]]:
    """Return what starts a plug-in in a process of its own, and tells its keeper's pid."""

    def start(program: str, then: str = "") -> tuple[Any, int]:
        text = PLUGIN.format(place=str(PLACE), base=base, program=program, then=then)
        plugin = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
        assert plugin.stdout is not None
        return plugin, int(plugin.stdout.readline())

    return start


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_when_gimp_kills_the_plug_in_nothing_is_left(
    started: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path, how: int
) -> None:
    plugin, keeper = started(fake(RUNNING))
    assert eventually((tmp_path / "child").exists)
    pids = [int((tmp_path / name).read_text() or 0) for name in ("pid", "child")]
    assert all(map(is_alive, pids)) and len(runs(base)) == 1
    plugin.send_signal(how)
    plugin.wait()
    plugin.stdout.close()
    assert eventually(lambda: not any(map(is_alive, [keeper, *pids])))
    assert not runs(base)


def test_a_plug_in_killed_before_photocloak_runs_leaves_nothing(
    started: Any, base: dict[str, str], fake: Callable[[str], str]
) -> None:
    plugin, keeper = started(fake(RUNNING), "import time; time.sleep(600)")
    assert len(runs(base)) == 1
    plugin.kill()
    plugin.wait()
    plugin.stdout.close()
    assert eventually(lambda: not is_alive(keeper)) and not runs(base)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_keeper_that_is_told_to_end_clears_up(
    started: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path, how: int
) -> None:
    plugin, keeper = started(fake(RUNNING))
    assert eventually((tmp_path / "child").exists)
    os.kill(keeper, how)
    assert plugin.wait() == 1
    plugin.stdout.close()
    assert not runs(base)


def test_a_keeper_that_is_killed_takes_photocloak_along_and_the_next_clears_up(
    cloaking: Any, started: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path
) -> None:
    plugin, keeper = started(fake(RUNNING))
    assert eventually((tmp_path / "child").exists)
    pid = int((tmp_path / "pid").read_text())
    (left,) = runs(base)
    with cloaking.Keeper(KEEPER, base):
        assert left.exists()  # in use
    os.kill(keeper, signal.SIGKILL)
    assert plugin.wait() == 1
    plugin.stdout.close()
    assert eventually(lambda: not is_alive(pid))
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)  # sleep, which is not ours
    assert left.exists()
    with cloaking.Keeper(KEEPER, base):
        assert not left.exists()


def test_a_folder_that_is_somebody_elses_is_not_used(cloaking: Any, base: dict[str, str]) -> None:
    place = Path(base["XDG_CACHE_HOME"], "photocloak")
    place.mkdir(parents=True)
    (place / "gimp").symlink_to(place)
    with pytest.raises(cloaking.CloakError, match="No private folder"):
        cloak(cloaking, base, "/nowhere")


# --- what is written ---------------------------------------------------------------------------


def test_an_export_replaces_what_is_there_as_a_whole(
    cloaking: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "a b'$(x)%\udcff.jpg"
    path.write_bytes(b"old")
    mask = os.umask(0o027)
    try:
        cloak(cloaking, base, fake("done()"), publish=path)
    finally:
        os.umask(mask)
    assert path.read_bytes() == CLOAKED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not list(tmp_path.glob(".photocloak*"))


@pytest.mark.parametrize(
    "body, words",
    [
        ("done(output_sha256='0' * 64)", "is not what photocloak made"),
        ("done(); sys.exit(8)", "ended with status 8"),
        ("done(status='no_face')", "ended with status 0"),
        ("done(status='failed', output=None)", "ended with status 0"),
    ],
)
def test_what_photocloak_does_not_vouch_for_is_not_published(
    cloaking: Any, base: dict[str, str], fake: Callable[[str], str], body: str, words: str
) -> None:
    path = Path(base["HOME"], "old.jpg")
    path.write_bytes(b"old")
    with pytest.raises(cloaking.CloakError, match=words):
        cloak(cloaking, base, fake(body), publish=path)
    assert path.read_bytes() == b"old"
    assert not list(path.parent.glob(".photocloak*")) and not runs(base)


def test_a_place_that_cannot_be_written_is_named(
    cloaking: Any, base: dict[str, str], fake: Callable[[str], str], tmp_path: Path
) -> None:
    with pytest.raises(cloaking.CloakError, match=r"nowhere/a\.jpg: cannot be written"):
        cloak(cloaking, base, fake("done()"), publish=tmp_path / "nowhere" / "a.jpg")


@pytest.mark.parametrize(
    "name, preset, form, wanted",
    [
        ("a.jpg", "keep", "", "JPEG"),
        ("a.b.JPEG", "keep", "", "JPEG"),
        ("a.tiff", "anonymous", "", "TIFF"),
        ("a.webp", "keep", "", "WebP"),
        ("a.jpg", "web", "JPEG", "PNG"),
        ("a.avif", "own", "AVIF", "PNG"),
    ],
)
def test_gimp_hands_over_what_the_preset_needs(
    cloaking: Any, name: str, preset: str, form: str, wanted: str
) -> None:
    assert cloaking.handed_over(Path(name), preset, form) == wanted


@pytest.mark.parametrize(
    "name, form, words",
    [
        ("a.png", "JPEG", r"writes JPEG: end the name with \.jpg"),
        ("a", "JPEG", r"end the name with \.jpg"),
        ("a.heic", "", "end it with .jpg"),
        ("a", "", "end it with .jpg"),
        ("a.xcf", "", "end it with .jpg"),
    ],
)
def test_a_name_that_the_preset_does_not_write_is_refused(
    cloaking: Any, name: str, form: str, words: str
) -> None:
    with pytest.raises(cloaking.CloakError, match=words):
        cloaking.handed_over(Path(name), "the preset", form)


@settings(max_examples=40)
@given(
    person=st.text(max_size=20), name=st.text(min_size=1, alphabet="-a '\"$\n\udcff%", max_size=20)
)
def test_no_name_becomes_an_option(cloaking: Any, person: str, name: str) -> None:
    wish = cloaking.Wish("strong", "keep", person)
    words = cloaking.command("photocloak", Path(name), Path("out"), wish)
    assert words[words.index("--") + 1 :] == [str(Path(name))]
    given_person = [word for word in words[: words.index("--")] if word.startswith("--person")]
    assert given_person == ([f"--person={person.strip()}"] if person.strip() else [])


def test_a_photo_is_never_its_own_export(cloaking: Any, tmp_path: Path) -> None:
    photo, link, other = tmp_path / "a.jpg", tmp_path / "link.jpg", tmp_path / "b.jpg"
    photo.write_bytes(b"clean")
    other.write_bytes(b"clean")
    link.symlink_to(photo)
    assert cloaking.is_same_file(link, None, str(photo))
    assert not cloaking.is_same_file(other, str(photo), str(tmp_path / "gone"))
    assert not cloaking.is_same_file(tmp_path / "new", str(photo), None)


def test_the_keeper_publishes_what_the_hash_says(tmp_path: Path) -> None:
    """The last guard, seen from outside: bytes that changed after photocloak looked."""
    out = tmp_path / "out"
    out.write_bytes(b"changed since")
    module: dict[str, Any] = {"__name__": "keeper"}
    exec(compile(KEEPER.read_text(), "keeper.py", "exec"), module)
    told = {"output": str(out), "output_sha256": sha256(CLOAKED).hexdigest()}
    assert "is not what photocloak made" in module["publish"](told, tmp_path / "a.jpg", 0o600)
    assert not (tmp_path / "a.jpg").exists()
