"""What of a text or of bytes cannot be vouched for, counted by kind."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cost:
    """What of a text cannot be vouched for.

    Attributes:
        opaque: characters or bytes that are neither words nor numbers.
        digits: of numbers, and the few letters on them.
        identifiers: digits of hashes and universal identifiers, where a table expects them.
        foreign: letters of scripts without a table, too few to tell a language from chance.
        settings: bytes of a binary value that are neither 0, 255 nor text.
        words: what it reads as in alphabets, to be judged with all else that a file says.
        letters: of its other scripts, and signs on letters, likewise.
        raw: a short binary value of a tag, likewise.

    """

    opaque: int = 0
    digits: int = 0
    identifiers: int = 0
    foreign: int = 0
    settings: int = 0
    words: tuple[str, ...] = field(default=(), compare=False, repr=False)
    letters: str = field(default="", compare=False, repr=False)
    raw: bytes = field(default=b"", compare=False, repr=False)

    @property
    def unread(self) -> int:
        """Bytes that its unreadable characters and its digits can stand for."""
        return self.opaque + (self.digits + 1) // 2

    @property
    def said(self) -> int:
        """Characters and bytes that may stand for anything, words included."""
        letters = sum(map(len, self.words)) + len(self.letters)
        numbers = self.digits + self.identifiers + max(self.settings, len(self.raw))
        return self.opaque + letters + numbers

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.opaque + other.opaque,
            self.digits + other.digits,
            self.identifiers + other.identifiers,
            self.foreign + other.foreign,
            self.settings + other.settings,
            self.words + other.words,
            self.letters + other.letters,
            self.raw + other.raw,
        )


FREE = Cost()
