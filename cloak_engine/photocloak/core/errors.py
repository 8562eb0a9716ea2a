"""The error tree. Every message says what happened, to which file, and what to do about it.

PhotocloakError (1)
├── ConfigError (3)          settings, presets, manifests, command-line values
├── InputError (4)           a source file that cannot be read
│   └── UnreadError          for now: the file system is to blame, or who writes to it
├── ModelError (6)           a model, runtime or execution provider
└── OutputError (7)          a destination that cannot be written, a file that failed its checks
"""

import errno
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit status of the command line."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    CONFIG = 3
    INPUT = 4
    NO_FACE = 5
    MODEL = 6
    OUTPUT = 7
    TOO_WEAK = 8
    SOME_FAILED = 9
    INTERRUPTED = 130


class PhotocloakError(Exception):
    """Base of all errors meant for the user; `exit_code` is the process's status."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED


class ConfigError(PhotocloakError):
    """A setting, preset, manifest or option that cannot be used."""

    exit_code = ExitCode.CONFIG


class InputError(PhotocloakError):
    """A source file that cannot be read."""

    exit_code = ExitCode.INPUT


class UnreadError(InputError):
    """A source file that was not there, not given by the system, or changed meanwhile.

    Nothing is known of what is in it: another time it may be read.
    """


class ModelError(PhotocloakError):
    """A model, runtime or execution provider that cannot be used."""

    exit_code = ExitCode.MODEL


class OutputError(PhotocloakError):
    """A destination that cannot be written, or an output that failed its checks."""

    exit_code = ExitCode.OUTPUT


_PLACING = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "you have no permission to write there",
    errno.ENOENT: "the folder does not exist",
    errno.ENOTDIR: "it is no folder",
    errno.EEXIST: "there is a file where the folder should be",
    errno.ENAMETOOLONG: "the name is too long for the file system; give it a shorter one",
}
_NAME = "the file system does not take this name; rename it, or choose an output folder on another"
_NAMING = {errno.EINVAL, errno.EILSEQ}
_NAMING_FUSE = {errno.ENOENT, errno.EPERM}


def why(error: OSError, *, naming: bool = False) -> str:
    """Say in a few words, for people, why something could not be written.

    Args:
        error: what the system said.
        naming: whether nothing but the name can be at fault, where the folder is there and may be
            written to; file systems by FUSE say so in several ways.

    """
    if error.errno in _NAMING or (naming and error.errno in _NAMING_FUSE):
        return _NAME
    return _PLACING.get(error.errno or 0, error.strerror or str(error))
