"""The page in a real Chromium: by keyboard alone, on a phone and on a large screen."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from photocloak.plugin.server import LocalServer
from tests.plugin.review.conftest import HOSTILE, Scene

SIZES = {360: 740, 1600: 1000}


@dataclass
class Browsing:
    """The album in a browser of some width."""

    browser: Chrome
    scene: Scene
    link: str

    def open(self, path: str = "", *, width: int = 1600, scheme: str = "light") -> None:
        size = {"width": width, "height": SIZES[width], "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.browser.get(self.link + path)

    def key(self, *keys: str) -> None:
        for one in keys:
            self.browser.switch_to.active_element.send_keys(one)

    def tab_to(self, selector: str, most: int = 60) -> WebElement:
        """Press Tab until the focus is where it shall be."""
        for _ in range(most):
            if self.focused.get_attribute("id") == selector or self.matches(selector):
                return self.focused
            self.key(Keys.TAB)
        raise AssertionError(f"Tab does not lead to {selector}")

    @property
    def focused(self) -> WebElement:
        return self.browser.switch_to.active_element

    def matches(self, selector: str) -> bool:
        script = "return document.activeElement.matches(arguments[0])"
        return bool(self.browser.execute_script(script, selector))

    def until(self, script: str) -> None:
        """Wait until a script says that it is so."""
        WebDriverWait(self.browser, 30).until(lambda one: one.execute_script(f"return {script}"))

    def complaints(self) -> list[str]:
        """Return what the browser complains of, since the last time."""
        return [one["message"] for one in self.browser.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture
def browsing(chromium: Chrome, scene: Scene) -> Iterator[Browsing]:
    with LocalServer(scene.app) as server:
        one = Browsing(chromium, scene, server.link)
        one.complaints()
        yield one
        chromium.get("about:blank")
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", SIZES)
def test_an_album_is_looked_at_corrected_and_published_by_keyboard(
    browsing: Browsing, width: int
) -> None:
    browsing.open(width=width)
    first = browsing.tab_to(".tile a")
    names = [one.source.name for one in browsing.scene.desk.album.photos]
    browsing.key(Keys.ARROW_RIGHT)
    assert names[1] in browsing.focused.text
    browsing.key(Keys.END, Keys.HOME)
    assert browsing.focused == first
    number = browsing.scene.photo("a.png").number
    browsing.key(*[Keys.ARROW_RIGHT] * (number - 1), Keys.ENTER)
    browsing.until(f"location.pathname.endsWith('/photo/{number}')")
    browsing.tab_to("slider")
    browsing.key(Keys.END)
    assert browsing.focused.get_attribute("aria-valuetext") == "100 % original, 0 % cloaked"
    browsing.tab_to("[value=stronger]")
    browsing.key(Keys.ENTER)
    browsing.until("document.querySelector('.told').textContent.includes('mode strong:')")
    assert browsing.scene.photo("a.png").faces[0].mode == "strong"
    assert browsing.browser.find_element(By.ID, "slider").get_attribute("value") == "100"
    browsing.key(Keys.ESCAPE)
    browsing.until("document.activeElement.closest('.tile') !== null")
    assert "a.png" in browsing.focused.text
    browsing.browser.execute_script("document.activeElement.blur(); scrollTo(0, 0)")
    browsing.browser.refresh()
    browsing.browser.execute_script("document.activeElement.blur()")
    for _ in range(40):
        browsing.browser.switch_to.active_element.send_keys(Keys.SHIFT + Keys.TAB)
        if browsing.matches("#publish"):
            break
    browsing.key(Keys.ENTER)
    browsing.until("document.querySelectorAll('[data-kind=published]').length === 4")
    assert len(browsing.scene.written()) == 4
    assert browsing.complaints() == []


def test_arrows_lead_from_photo_to_photo(browsing: Browsing) -> None:
    browsing.open("photo/2")
    browsing.key(Keys.ARROW_RIGHT)
    browsing.until("location.pathname.endsWith('/photo/3')")
    browsing.key(Keys.ARROW_LEFT)
    browsing.until("location.pathname.endsWith('/photo/2')")


def test_a_photo_is_seen_pixel_by_pixel(browsing: Browsing) -> None:
    number = browsing.scene.photo("a.png").number
    browsing.open(f"photo/{number}")
    browsing.key("z")
    browsing.until("document.querySelector('.stage img').src.includes('/whole.jpg')")
    width = "document.querySelector('.stage img').getBoundingClientRect().width"
    assert browsing.browser.execute_script(f"return {width} * devicePixelRatio") == 160
    browsing.key("z")
    browsing.until("document.querySelector('.stage img').src.includes('/screen.jpg')")


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_everything_fits(browsing: Browsing, width: int, scheme: str) -> None:
    browsing.scene.say_of_face("b.png", 0, say="not_a_face")
    browsing.scene.settled()
    browsing.scene.say_of_face("b.png", 0, say="name_all", name="Ada")
    held, told = browsing.scene.photo("c.png").number, browsing.scene.photo("b.png").number
    axe = (files("axe_core_python") / "axe.min.js").read_text("utf-8")
    for path in ("", f"photo/{told}", f"photo/{held}", "people/", "photo/99"):
        browsing.open(path, width=width, scheme=scheme)
        for one in browsing.browser.find_elements(By.TAG_NAME, "summary"):
            one.click()
        assert browsing.browser.execute_script("return document.body.scrollWidth") <= width
        browsing.browser.execute_script(axe)
        found = browsing.browser.execute_async_script(
            "const done = arguments[0]; axe.run().then(done, error => done(String(error)));"
        )
        assert len(found["passes"]) > 15
        assert [
            (path, one["id"], [n["html"][:160] for n in one["nodes"]])
            for one in found["violations"]
        ] == []


def test_hostile_names_do_nothing(browsing: Browsing) -> None:
    browsing.scene.say_of_face(HOSTILE, say="name_all", name=HOSTILE.replace(".png", ""))
    for path in ("", f"photo/{browsing.scene.photo(HOSTILE).number}", "people/"):
        browsing.open(path)
        assert browsing.browser.execute_script("return window.pwned ?? null") is None
        count = "return document.querySelectorAll('img[src=x]').length"
        assert browsing.browser.execute_script(count) == 0
    assert browsing.complaints() == []


def test_two_tabs_show_the_same(browsing: Browsing) -> None:
    number = browsing.scene.photo("b.png").number
    browsing.open(f"photo/{number}")
    first = browsing.browser.current_window_handle
    browsing.browser.switch_to.new_window("tab")
    try:
        browsing.open(f"photo/{number}")
        browsing.tab_to("[value=leave]")
        browsing.key(Keys.ENTER)
        browsing.until("document.body.textContent.includes('You said: left as it is')")
        browsing.browser.close()
    finally:
        browsing.browser.switch_to.window(first)
    browsing.until("document.body.textContent.includes('You said: left as it is')")


def test_no_picture_is_kept_and_nothing_is_asked_of_others(browsing: Browsing) -> None:
    browsing.browser.get_log("performance")  # type: ignore[no-untyped-call]
    browsing.open(f"photo/{browsing.scene.photo('a.png').number}")
    browsing.until("[...document.images].every(one => one.complete)")
    log = browsing.browser.get_log("performance")  # type: ignore[no-untyped-call]
    events = [json.loads(one["message"])["message"] for one in log]
    answers = [
        one["params"]["response"] for one in events if one["method"] == "Network.responseReceived"
    ]
    assert len(answers) > 5
    assert all(one["url"].startswith(browsing.link) for one in answers)
    assert {one["headers"].get("Cache-Control") for one in answers} == {"no-store"}
