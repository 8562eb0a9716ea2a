"""Bytes under a passphrase: scrypt makes the key of it, AES-GCM encrypts and authenticates.

A file is a line that says what it is, scrypt's salt, a nonce and what is encrypted. The line, with
scrypt's cost in it, is authenticated with the rest: a file whose cost was lowered does not open.
"""

import secrets
import unicodedata
from typing import TYPE_CHECKING

from photocloak.core import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEAD = b"photocloak people 1, scrypt 2^17 8 1, AES-256-GCM\n"
_COST = {"length": 32, "n": 1 << 17, "r": 8, "p": 1}
"""128 MiB and some tenths of a second for each guess: the first choice of OWASP's cheat sheet."""

_SALT, _NONCE = 16, 12


def seal(data: bytes, passphrase: str) -> bytes:
    """Encrypt bytes."""
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    aead = _aead(passphrase, salt)
    return HEAD + salt + nonce + aead.encrypt(nonce, data, HEAD)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Decrypt what `seal` encrypted.

    Raises:
        ConfigError: it is no such file, the passphrase is wrong, or a byte of it was changed.

    """
    if not sealed.startswith(HEAD):
        raise ConfigError("is no file that `photocloak people export` has written.")
    body = sealed[len(HEAD) :]
    salt, nonce, encrypted = body[:_SALT], body[_SALT : _SALT + _NONCE], body[_SALT + _NONCE :]
    aead = _aead(passphrase, salt)
    from cryptography.exceptions import InvalidTag

    try:
        return bytes(aead.decrypt(nonce, encrypted, HEAD))
    except (InvalidTag, ValueError) as error:  # ValueError: cut off within salt or nonce
        raise ConfigError(
            "cannot be opened: the passphrase is wrong, or the file was damaged on its way."
        ) from error


def _aead(passphrase: str, salt: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return AESGCM(Scrypt(salt=salt, **_COST).derive(_bytes(passphrase)))


def _bytes(passphrase: str) -> bytes:
    """Return the same bytes for what looks the same, however a keyboard composes an ä."""
    return unicodedata.normalize("NFC", passphrase).encode()
