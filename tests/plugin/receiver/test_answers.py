"""What the receiver answers: the verified file, or why there is none; each as OpenAPI says it."""

import hashlib
import stat
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from photocloak.plugin import Folders
from photocloak.plugin.receiver.app import description
from photocloak.plugin.watch.status import daemon_statuses
from tests.plugin.fakes import BARE, CRASH, GROUP
from tests.plugin.receiver.harness import Answer, Receiver, form, photo

DESCRIBED: dict[str, Any] = description()


def conforms(method: str, path: str, answer: Answer) -> Answer:
    """Hold an answer against the description."""
    operation = DESCRIBED["paths"][path][method.lower()]
    assert str(answer.status) in operation["responses"], (method, path, answer)
    said = operation["responses"][str(answer.status)]
    if "$ref" in said:
        said = DESCRIBED["components"]["responses"][said["$ref"].rpartition("/")[2]]
    for name, header in said.get("headers", {}).items():
        assert name.title() in answer.headers or not header.get("required"), (name, answer)
    if not said.get("content"):
        assert answer.body == b""
        return answer
    ((kind, one),) = said["content"].items()
    sent = answer.headers["Content-Type"].partition(";")[0]
    assert sent == kind or (kind == "image/*" and sent.startswith("image/"))
    if kind.endswith("json"):
        schema = one["schema"] | {"components": DESCRIBED["components"]}
        Draft202012Validator(schema).validate(answer.json)
    return answer


def cloaked(shared: Receiver, data: bytes, **fields: str) -> Answer:
    return conforms("POST", "/cloak", shared.send(data, **fields))


def test_the_description_is_served(shared: Receiver) -> None:
    answer = conforms("GET", "/openapi.json", shared.ask("GET", "/openapi.json"))
    assert answer.json == DESCRIBED and DESCRIBED["openapi"].startswith("3.1")


def test_a_photo_comes_back_cloaked_and_its_original_is_gone(shared: Receiver) -> None:
    clean = photo(1)
    answer = cloaked(shared, clean, name="Ada & Bob.png")
    told = answer.outcome
    assert (answer.status, told["status"], told["source"]) == (200, "cloaked", "Ada & Bob.png")
    assert told["output_sha256"] == hashlib.sha256(answer.body).hexdigest()
    assert answer.body != clean and answer.headers["Cache-Control"] == "no-store"
    assert "Ada & Bob.jpg" in answer.headers["Content-Disposition"]
    assert str(shared.data) not in str(answer.headers)
    job = answer.headers["Content-Location"]
    whole = conforms("GET", "/jobs/{job}", shared.ask("GET", job)).json
    assert whole["state"] == "done" and len(whole["outcome"]["faces"]) == 1
    assert not list((shared.received / "in").iterdir()), "the clean photo is gone"
    again = conforms("GET", "/jobs/{job}/file", shared.ask("GET", f"{job}/file"))
    assert again.body == answer.body


def test_the_same_request_is_the_same_job_and_another_wish_another(shared: Receiver) -> None:
    first, second = (cloaked(shared, photo(2), person="Ada") for _ in range(2))
    assert first.body == second.body
    assert first.headers["Content-Location"] == second.headers["Content-Location"]
    other = cloaked(shared, photo(2), person="Ada", preset="anonymous")
    assert other.headers["Content-Location"] != first.headers["Content-Location"]
    assert "a.jpg" not in other.headers["Content-Disposition"], "named so that it tells nothing"


def test_held_back_photos_are_not_given_out(shared: Receiver) -> None:
    answer = cloaked(shared, photo(3, BARE))
    told = answer.json
    assert (answer.status, told["outcome"]["status"]) == (422, "no_face")
    assert "Never publish the original" in told["remedy"] and "--" not in told["detail"]
    file = shared.ask("GET", f"/jobs/{told['job']}/file")
    assert conforms("GET", "/jobs/{job}/file", file).status == 422


def test_somebody_who_it_is_not_fails_that_photo_alone(shared: Receiver) -> None:
    """It is no trouble of all photos, for which they would wait."""
    assert cloaked(shared, photo(4), person="Grace").status == 200
    assert cloaked(shared, photo(5), person="Alan").status == 200
    answer = cloaked(shared, photo(4), person="Alan", mode="strong")
    assert (answer.status, answer.json["outcome"]["status"]) == (422, "failed")
    assert "Grace" in answer.json["detail"]


@pytest.mark.parametrize("data", [b"no photo", photo(6)[:200], b"\xff\xd8\xff\xe0"], ids=len)
def test_what_is_no_photo(shared: Receiver, data: bytes) -> None:
    answer = cloaked(shared, data)
    assert answer.status == 422 and answer.json["outcome"]["status"] == "failed"


def test_a_crash_in_a_decoder_costs_that_photo(shared: Receiver) -> None:
    assert cloaked(shared, photo(7, CRASH)).status == 422
    assert cloaked(shared, photo(8, GROUP)).status == 200


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"mode": "strange"}, "balanced"),
        ({"preset": "../web"}, "preset"),
        ({"preset": "nonsense"}, "web"),
        ({"persn": "Ada"}, "'person'"),
        ({"person": ["Ada", "Bob"]}, "twice"),
        ({"person": "A\x07da"}, "printed"),
        ({"person": "A" * 201}, "long"),
    ],
)
@pytest.mark.parametrize("to", ["/cloak", "/jobs"])
def test_wrong_fields_are_named(
    shared: Receiver, to: str, fields: dict[str, Any], word: str
) -> None:
    answer = conforms("POST", to, shared.send(photo(9), to, **fields))
    assert answer.status == 400 and word in answer.json["detail"] + answer.json["remedy"]


def test_requests_without_a_photo(shared: Receiver) -> None:
    for answer in (
        shared.send(None),
        shared.send(b""),
        shared.send(None, photo="as text"),
        shared.ask("POST", "/cloak", b"{}", "application/json"),
        shared.ask("POST", "/cloak", b"--x--", "multipart/form-data"),
        shared.ask("POST", "/cloak", *form(photo(9), mode="balanced"), Content_Type="image/png"),
    ):
        assert conforms("POST", "/cloak", answer).status == 400


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.binary(max_size=300), kind=st.sampled_from(["multipart/form-data; boundary=x", ""]))
def test_whatever_is_sent_it_is_a_problem_with_a_remedy(
    shared: Receiver, body: bytes, kind: str
) -> None:
    data = b'--x\r\nContent-Disposition: form-data; name="photo"' + body
    answer = shared.ask("POST", "/cloak", data, kind or "text/plain")
    assert 400 <= answer.status < 500 and answer.json["remedy"]


@pytest.mark.parametrize(
    "name", ["../../x.png", "/etc/passwd", "..", "a\\b\\c.png", "\u202ex.png", ""]
)
def test_names_lead_nowhere(shared: Receiver, name: str) -> None:
    told = conforms("POST", "/jobs", shared.send(photo(10, BARE), "/jobs", name=name)).json
    assert "/" not in told["name"] and "\\" not in told["name"] and told["name"].strip(".")
    shared.finished(told["job"])
    assert all(one.startswith("out/") for one in shared.files())


def test_a_job_that_there_is_not(shared: Receiver) -> None:
    for job in ("0" * 32, "x", "..%2f..", "0" * 31):
        for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
            answer = shared.ask(method, f"/jobs/{job}{path}")
            assert conforms(method, "/jobs/{job}" + path, answer).status == 404
    assert shared.ask("GET", "/elsewhere").json["remedy"]
    assert shared.ask("PUT", "/cloak").status == 405


def test_a_job_is_forgotten_with_its_file(shared: Receiver) -> None:
    job = cloaked(shared, photo(11)).headers["Content-Location"]
    assert any(job.rpartition("/")[2] in one for one in shared.files())
    assert conforms("DELETE", "/jobs/{job}", shared.ask("DELETE", job)).status == 204
    assert shared.ask("GET", job).status == 404
    assert not any(job.rpartition("/")[2] in one for one in shared.files())


def test_a_file_that_was_changed_is_not_given_out(shared: Receiver) -> None:
    clean = photo(12)
    answer = cloaked(shared, clean)
    job = answer.headers["Content-Location"]
    made = shared.received / "out" / f"{job.rpartition('/')[2]}.jpg"
    for data in (clean, b""):
        made.write_bytes(data)
        gone = conforms("GET", "/jobs/{job}/file", shared.ask("GET", f"{job}/file"))
        assert gone.status == 410
    again = cloaked(shared, clean)
    assert again.status == 200 and again.body == answer.body, "it is made once more"


def test_without_the_token_nothing_is_told(shared: Receiver) -> None:
    for header in ("", "Bearer", "Bearer x", f"Basic {shared.token}", f"Bearer {shared.token}x"):
        for method, path in (("POST", "/cloak"), ("POST", "/jobs"), ("GET", "/openapi.json")):
            answer = conforms(method, path, shared.ask(method, path, Authorization=header))
            assert answer.status == 401 and "Www-Authenticate" in answer.headers
            assert shared.token not in str(answer) and str(shared.data) not in str(answer)


def test_pages_and_other_names_are_refused(shared: Receiver) -> None:
    for name, value in (
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", f"http://127.0.0.1:{shared.port}"),
        ("Host", "evil.example"),
        ("Host", f"evil.example:{shared.port}"),
    ):
        for method, path in (("POST", "/cloak"), ("GET", "/openapi.json")):
            answer = conforms(method, path, shared.ask(method, path, b"", None, **{name: value}))
            assert answer.status == 403 and "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("to", ["/cloak", "/jobs"])
def test_too_large_a_request_is_refused_before_it_is_read(shared: Receiver, to: str) -> None:
    answer = shared.ask("POST", to, kind="multipart/form-data", Content_Length="1000001")
    assert conforms("POST", to, answer).status == 413 and "--max-size" in answer.json["remedy"]


def test_everything_is_private(shared: Receiver) -> None:
    for path in (shared.received, *shared.received.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for file in ("receiver.token", "received.db"):
        assert stat.S_IMODE((shared.data / file).stat().st_mode) == 0o600


def test_status_knows_it(shared: Receiver) -> None:
    folders = Folders(shared.home / "config" / "photocloak", shared.data)
    (one,) = daemon_statuses(folders)
    assert one.alive and one.watching.pid == shared.running[-1].pid
    assert "photos that programs send" in "\n".join(one.lines())
