"""The report in a real Chromium: used by keyboard, read by a screen reader, alone on its island."""

import base64
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from photocloak.plugin.main import run
from tests.plugin.report.made import BLUE, FACE, RED, cloaked, held, sha256, write_run

HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2>\"'&amp;"
Open = Callable[..., Chrome]


@pytest.fixture
def opened(chromium: Chrome, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Open]:
    """Return a way to report a run and open the page."""

    def call(*rows: dict[str, Any]) -> Chrome:
        assert run(["report", str(write_run(tmp_path / "run.jsonl", *rows))]) == 0
        log(chromium, "performance")
        log(chromium, "browser")
        chromium.get(f"file://{capsys.readouterr().out.strip()}")
        return chromium

    yield call
    emulate(chromium)
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.set_window_size(1280, 1000)


def log(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    """Return what was logged since the last time."""
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]


def emulate(browser: Chrome, media: str = "", scheme: str = "light") -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    settings = {"media": media, "features": features}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", settings)


def requests(browser: Chrome) -> list[str]:
    """Return the addresses of everything that was asked for since the page was opened."""
    events = [json.loads(one["message"])["message"] for one in log(browser, "performance")]
    sent = [one["params"] for one in events if one["method"] == "Network.requestWillBeSent"]
    return [one["request"]["url"] for one in sent]


def colours(browser: Chrome) -> list[str]:
    """Return what is seen a tenth from the left, and a tenth from the right, of the photo."""
    picture = browser.find_element(By.CSS_SELECTOR, ".stage img")
    image = Pillow.open(io.BytesIO(picture.screenshot_as_png)).convert("RGB")
    width, height = image.size
    names = []
    for x in (width // 10, width - width // 10):
        pixel = image.getpixel((x, height // 2))
        assert isinstance(pixel, tuple)
        near = {
            name: max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 12
            for name, colour in (("original", RED), ("cloaked", BLUE))
        }
        names += [name for name, same in near.items() if same] or [str(pixel)]
    return names


def test_the_slider_moves_by_keyboard_and_changes_what_is_seen(
    opened: Open, tmp_path: Path
) -> None:
    browser = opened(cloaked(tmp_path, "a.png"))
    assert colours(browser) == ["original", "cloaked"]
    slider = browser.find_element(By.CSS_SELECTOR, "input[type=range]")
    for _ in range(30):
        if browser.switch_to.active_element == slider:
            break
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element == slider, "Tab does not lead to the slider"
    slider.send_keys(Keys.HOME)
    assert colours(browser) == ["cloaked", "cloaked"]
    slider.send_keys(Keys.ARROW_RIGHT * 20)
    assert colours(browser) == ["original", "cloaked"]
    assert slider.get_attribute("aria-valuetext") == "20 % original, 80 % cloaked"
    slider.send_keys(Keys.END)
    assert colours(browser) == ["original", "original"]


def test_every_image_is_there_and_nothing_is_complained_of(opened: Open, tmp_path: Path) -> None:
    browser = opened(cloaked(tmp_path, "a.png"), held(tmp_path, "b.png"))
    sizes = browser.execute_async_script(
        "const done = arguments[0], images = [...document.images];"
        "Promise.all(images.map(one => one.decode())).then("
        "() => done(images.map(one => one.naturalWidth)), error => done(String(error)));"
    )
    assert len(sizes) == 7 and sizes.count(320) == 4 and min(sizes) > 0
    assert log(browser, "browser") == []


def test_hostile_names_and_reasons_are_text(opened: Open, tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "∕") + "\u202e.png"
    rows = [
        cloaked(tmp_path, name, reason=HOSTILE, faces=[FACE | {"person": HOSTILE}]),
        held(tmp_path, "caf\udce9 \x1b[31m\n<b>.png", reason=HOSTILE),
        held(tmp_path, "c.png", faces=[FACE | {"similarity": {HOSTILE: 0.5}}]),
    ]
    browser = opened(*rows)
    assert browser.execute_script("return window.pwned") is None
    assert log(browser, "browser") == []
    counts = "return ['script', 'b', 'img[src=x]'].map(n => document.querySelectorAll(n).length)"
    assert browser.execute_script(counts) == [1, 0, 0]
    heading = "return [...document.querySelectorAll('h3')].map(one => one.textContent)"
    shown = HOSTILE.replace("/", "∕") + "\\u202e.png"
    titles = ["caf\ufffd \\x1b[31m\\n<b>.png", "c.png", shown]
    assert browser.execute_script(heading) == titles
    words = browser.execute_script("return document.body.textContent")
    assert words.count(HOSTILE) >= 4


class Beacon:
    """A server that counts who calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        calls = self.calls

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                calls.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    one = Beacon()
    yield one
    one.server.shutdown()
    one.server.server_close()


def try_to_get_out(browser: Chrome, address: str) -> None:
    """Do what a script or an element that got into the page would do."""
    browser.execute_async_script(
        """
        const [address, done] = arguments;
        const image = new Image();
        image.src = address + "/image";
        const link = document.createElement("link");
        Object.assign(link, {rel: "stylesheet", href: address + "/style"});
        const frame = document.createElement("iframe");
        frame.src = address + "/frame";
        document.body.append(image, link, frame);
        fetch(address + "/fetch", {mode: "no-cors"}).catch(() => null)
            .then(() => setTimeout(done, 800));
        """,
        address,
    )


def test_no_request_leaves_the_page(opened: Open, tmp_path: Path, beacon: Beacon) -> None:
    browser = opened(cloaked(tmp_path, "a.png"))
    asked = requests(browser)
    assert asked[0].startswith("file:///") and asked[0].endswith("/report.html")
    assert {address.split(":")[0] for address in asked[1:]} <= {"data"}
    try_to_get_out(browser, beacon.address)
    assert beacon.calls == []
    assert any("Content Security Policy" in one["message"] for one in log(browser, "browser"))


def test_it_is_the_policy_that_keeps_requests_in(
    chromium: Chrome, opened: Open, tmp_path: Path, beacon: Beacon
) -> None:
    page = Path(opened(cloaked(tmp_path, "a.png")).current_url.removeprefix("file://"))
    text = page.read_text("utf-8")
    page.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text), "utf-8")
    chromium.get(page.as_uri())
    try_to_get_out(chromium, beacon.address)
    assert sorted(beacon.calls) == ["/fetch", "/frame", "/image", "/style"]
    log(chromium, "browser")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, tmp_path: Path, scheme: str) -> None:
    rows = [
        cloaked(tmp_path, "a.png", reason="hse may still recognise a face in it"),
        cloaked(tmp_path, "b.png"),
        held(tmp_path, "c.png"),
        held(tmp_path, "d.png", status="failed", reason="d.png: broken", faces=[]),
    ]
    browser = opened(*rows)
    emulate(browser, scheme=scheme)
    browser.execute_script((files("axe_core_python") / "axe.min.js").read_text("utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(done, error => done(String(error)));"
    )
    assert len(found["passes"]) > 20
    assert [
        (one["id"], [n["html"][:200] for n in one["nodes"]]) for one in found["violations"]
    ] == []
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) < 3 * 128) is (scheme == "dark")


def test_a_screen_reader_is_told(opened: Open, tmp_path: Path) -> None:
    browser = opened(cloaked(tmp_path, "a.png"))
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    seen = [
        (one["role"]["value"], one["name"]["value"])
        for one in tree
        if not one["ignored"] and "name" in one
    ]
    for expected in (
        ("slider", "Original on the left of the line, cloaked on its right: a.png"),
        ("image", "a.png, the original"),
        ("image", "a.png, cloaked"),
        ("heading", "What became of the photos"),
        ("heading", "a.png"),
        ("navigation", "On this page"),
        ("article", "a.png"),
        ("image", "1 cloaked"),
    ):
        assert expected in seen
    assert all(name for role, name in seen if role in {"image", "slider", "link", "table"})


def test_it_prints_both_pictures_side_by_side(opened: Open, tmp_path: Path) -> None:
    browser = opened(cloaked(tmp_path, "a.png"))
    emulate(browser, media="print")
    first, second = (one.rect for one in browser.find_elements(By.CSS_SELECTOR, ".stage img"))
    assert first["x"] + first["width"] <= second["x"]
    assert not browser.find_element(By.CSS_SELECTOR, "input").is_displayed()
    clip = "return getComputedStyle(document.querySelector('.after')).clipPath"
    assert browser.execute_script(clip) == "none"
    printed = browser.execute_cdp_cmd("Page.printToPDF", {})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF-")


def test_it_needs_no_script(opened: Open, tmp_path: Path) -> None:
    browser = opened(cloaked(tmp_path, "a.png"))
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.refresh()
    first, second = (one.rect for one in browser.find_elements(By.CSS_SELECTOR, ".stage img"))
    assert first["x"] + first["width"] <= second["x"]


def test_it_fits_a_narrow_screen(opened: Open, tmp_path: Path) -> None:
    browser = opened(cloaked(tmp_path, "a" * 120 + ".png"), held(tmp_path, "b.png"))
    metrics = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


SIX = {"dlib": 0.95, "facelib": 0.1, "hse": 0.41, "mobileface": 0.45, "mobilefacenet": 0.2}
WIDE = FACE | {
    "person": "Ada Lovelace-Byron",
    "similarity": SIX | {"sface": 0.21},
    "verdict": "fair",
}


@pytest.fixture
def at_width(chromium: Chrome) -> Iterator[Callable[[int], None]]:
    """Return a way to make the window so many pixels wide."""

    def call(width: int) -> None:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    yield call
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [1280, 1600])
def test_no_column_is_cut(
    opened: Open, tmp_path: Path, at_width: Callable[[int], None], width: int
) -> None:
    browser = opened(cloaked(tmp_path, "a.png", faces=[WIDE] * 3), held(tmp_path, "b.png"))
    at_width(width)
    cut = "return [...document.querySelectorAll('.scroll')].map(o => o.scrollWidth - o.clientWidth)"
    assert browser.execute_script(cut) == [0, 0, 0]


@pytest.mark.parametrize("width", [360, 720, 1280])
def test_no_caption_is_cut(
    opened: Open, tmp_path: Path, at_width: Callable[[int], None], width: int
) -> None:
    """Not even where the table has to be scrolled, and however far it is."""
    browser = opened(cloaked(tmp_path, "a.png", faces=[WIDE]), held(tmp_path, "b.png"))
    at_width(width)
    beyond = browser.execute_script(
        """
        const all = document.querySelectorAll("caption, figcaption, .compare label");
        return [...all].flatMap(one => {
          const box = one.closest(".scroll");
          return [0, 9999].map(left => {
            if (box) box.scrollLeft = left;
            const room = (box || one.closest("figure")).getBoundingClientRect();
            const {left: start, right: end} = one.getBoundingClientRect();
            return end && Math.max(room.left - start, end - room.right);
          });
        });
        """
    )
    assert len(beyond) > 10 and max(beyond) <= 1


def test_a_click_on_each_side_opens_that_file(opened: Open, tmp_path: Path) -> None:
    row = cloaked(tmp_path, "a.png")
    browser = opened(row)
    stage = browser.find_element(By.CSS_SELECTOR, ".stage")
    here = browser.current_window_handle
    for side, key in ((-0.4, "source"), (0.4, "output")):
        offset = round(side * stage.size["width"])
        ActionChains(browser).move_to_element_with_offset(stage, offset, 0).click().perform()
        (other,) = set(browser.window_handles) - {here}
        browser.switch_to.window(other)
        assert browser.current_url == Path(row[key]).as_uri()
        assert browser.execute_script("return document.images[0].naturalWidth") == 320
        browser.close()
        browser.switch_to.window(here)


def test_a_thousand_photos_make_a_page_that_opens(opened: Open, tmp_path: Path) -> None:
    kinds = []
    for number in range(4):
        row = cloaked(tmp_path, f"{number}.png")
        for key in ("source", "output"):
            noise = Pillow.effect_noise((720, 480), 60).convert("RGB")
            noise.save(row[key])
        kinds.append(row)
    for row in kinds:
        row["source_sha256"] = sha256(Path(row["source"]))
        row["output_sha256"] = sha256(Path(row["output"]))
    browser = opened(*(kinds[number % 4] for number in range(1000)))
    page = Path(browser.current_url.removeprefix("file://"))
    assert page.stat().st_size < 40 << 20
    counts = "return ['article', '.compare'].map(n => document.querySelectorAll(n).length)"
    articles, pictured = browser.execute_script(counts)
    assert articles == 1000 and 10 < pictured < 1000
    assert f"Pictures of {pictured} photos are in it" in browser.page_source
    # How long that takes is the machine's affair; that it ends is ours.
    assert browser.execute_script("return performance.timing.loadEventEnd") > 0
    last = browser.find_elements(By.TAG_NAME, "article")[-1]
    browser.execute_script("arguments[0].scrollIntoView()", last)
    assert last.is_displayed() and log(browser, "browser") == []
