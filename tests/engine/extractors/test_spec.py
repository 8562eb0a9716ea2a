"""Manifests of recognisers: what is read, and that every mistake is named."""

import hashlib
from pathlib import Path

import pytest

from photocloak.core import ConfigError, ModelError
from photocloak.engine.extractors.spec import load_specs, read_spec
from photocloak.engine.extractors.weights import read_model

MINIMAL = {
    "name": '"mine"',
    "title": '"My own"',
    "model": '"mine.onnx"',
    "sha256": f'"{"0F" * 32}"',
    "size": "112",
    "template": "[[38, 51], [73.5, 51], [56, 71], [41, 92], [70, 92]]",
    "embedding": "512",
    "threshold": "0.3",
    "licence": '"MIT"',
    "origin": '"my disk"',
}


def write(folder: Path, **changes: str | None) -> Path:
    """Write the minimal manifest with some keys changed, added or (None) left out."""
    keys = {**MINIMAL, **changes}
    path = folder / f"{changes.get('file', 'mine')}.toml"
    path.write_text("\n".join(f"{k} = {v}" for k, v in keys.items() if v is not None))
    return path


def test_a_minimal_manifest_has_the_documented_defaults(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path))
    assert (spec.order, spec.mean, spec.scale) == ("rgb", (0.0, 0.0, 0.0), 1.0)
    assert (spec.input, spec.output, spec.licence_file, spec.true_accepts) == (None,) * 4
    assert spec.model == tmp_path / "mine.onnx"
    assert spec.template[1] == (73.5, 51.0)
    assert spec.sha256 == "0f" * 32


def test_every_key_can_be_given(tmp_path: Path) -> None:
    spec = read_spec(
        write(
            tmp_path,
            order='"bgr"',
            mean="[127.5, 127.5, 127.5]",
            scale="0.0078125",
            input='"data"',
            output='"fc1"',
            licence_file='"LICENCE"',
            true_accepts="0.99",
        )
    )
    assert (spec.order, spec.mean, spec.scale) == ("bgr", (127.5,) * 3, 0.0078125)
    assert (spec.input, spec.output, spec.true_accepts) == ("data", "fc1", 0.99)
    assert spec.licence_file == tmp_path / "LICENCE"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"treshold": "0.3", "threshold": None},
            "key `treshold`; did you mean `threshold`",
        ),
        ({"origin": None, "size": None}, "`origin`, `size` missing"),
        ({"size": "112.5"}, "`size` must be a whole number"),
        ({"size": "true"}, "`size` must be a whole number"),
        ({"embedding": "0"}, "`embedding` must be a whole number above 0"),
        ({"threshold": '"high"'}, "`threshold` must be a number"),
        ({"order": '"gbr"'}, '`order` must be "rgb" or "bgr"'),
        ({"mean": "[1, 2]"}, "`mean` must be 3 numbers"),
        ({"mean": "1"}, "`mean` must be 3 numbers"),
        ({"template": "[[1, 2], [3, 4]]"}, "`template` must be five"),
        ({"template": "[[1, 2], [3, 4], [5, 6], [7, 8], [9]]"}, "`template` must be 2 numbers"),
        ({"sha256": '"abc"'}, "`sha256` must be 64 hexadecimal digits"),
        ({"sha256": f'"{"g" * 64}"'}, "`sha256` must be 64 hexadecimal digits"),
        ({"name": '"My model"'}, "`name` must be lower-case"),
        ({"title": '""'}, "`title` must be a text"),
        ({"size": "["}, "cannot be read"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_spec(write(tmp_path, **changes))
    assert message in str(caught.value)
    assert str(tmp_path / "mine.toml") in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml cannot be read"):
        read_spec(tmp_path / "nowhere.toml")


def test_own_manifests_come_after_the_shipped(tmp_path: Path) -> None:
    write(tmp_path)
    assert list(load_specs(tmp_path)) == [*load_specs(), "mine"]
    assert set(load_specs()) == {
        "dlib",
        "facelib",
        "hse",
        "mobileface",
        "mobilefacenet",
        "sface",
    }


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, name='"sface"')
    with pytest.raises(ConfigError, match=r"mine\.toml and .*sface\.toml are both called 'sface'"):
        load_specs(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone does not exist"):
        load_specs(tmp_path / "gone")


def test_shipped_manifests_state_licence_and_origin() -> None:
    for spec in load_specs().values():
        assert spec.licence_file is not None
        assert f"manifests/models/{spec.model.name}" in spec.licence_file.read_text()
        assert spec.true_accepts is not None
        assert len(spec.template) == 5
        assert all(0 < x < spec.size and 0 < y < spec.size for x, y in spec.template)


def test_a_missing_model_names_file_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx cannot be read .*reinstall"):
        read_model(tmp_path / "gone.onnx", "0" * 64)


def test_a_changed_model_names_file_and_remedy(tmp_path: Path) -> None:
    spec = load_specs()["mobileface"]
    data = bytearray(spec.model.read_bytes())
    data[-9] ^= 1
    (tmp_path / "x.onnx").write_bytes(data)
    with pytest.raises(ModelError, match=r"x\.onnx is not the one its manifest pins .*Reinstall"):
        read_model(tmp_path / "x.onnx", spec.sha256)


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"not a model")
    digest = hashlib.sha256(b"not a model").hexdigest()
    with pytest.raises(ModelError, match=r"x\.onnx is not an ONNX model"):
        read_model(tmp_path / "x.onnx", digest)
