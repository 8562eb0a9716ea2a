"""Settings: defaults < file < flags; every mistake in the file is named."""

from pathlib import Path

import pytest

from photocloak.core import ConfigError
from photocloak.plugin import Settings, load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, "utf-8")
    return path


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.toml") == Settings()


def test_flags_beat_the_file_and_the_file_beats_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, 'mode = "strong"\nno_face = "copy"\n'))
    assert (settings.mode, settings.no_face, settings.preset) == ("strong", "copy", "keep")
    assert settings.with_flags(mode="subtle", preset=None).mode == "subtle"
    assert settings.with_flags(mode=None, no_face=None) == settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('mod = "strong"', "no setting 'mod'; did you mean 'mode'"),
        ("thread = 2", "did you mean 'threads'"),
        ("mode = 3", "mode is 3; it must be a str"),
        ("threads = true", "threads is True; it must be a int"),
        ("threads = -1", "threads is -1"),
        ('no_face = "publish"', "'hold', 'copy'"),
        ('device = "tpu"', "'cpu', 'cuda', 'auto'"),
        ("mode = ", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match="settings") as caught:
        load_settings(path)
    assert said in str(caught.value)


def test_bytes_that_are_not_text_are_a_config_error(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_settings(path)
