"""What one file may still hold that nobody can vouch for, and what was dropped from it.

A face needs some hundred bytes. So a file may hold a few short things that cannot be read, such as
serial numbers and codes; many of them, or long ones, might be a picture in pieces.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.readability import Cost, cost
from photocloak.exporters.leaks.tables import table

Result = TypeVar("Result")

_MUCH = 1000  # characters or bytes
_BRIEF, _HEARD = 40, 240  # characters of a brief text, and of those that are judged together


@dataclass
class Ledger:
    """The account of one file.

    Attributes:
        previews: makes what stands in the place of old previews.
        strict: a file that had too much in all is judged again with smaller limits a value.
        spent: what the parts that were kept hold.
        refused: unreadable characters or bytes that went.
        brief: the last brief texts that were kept.
        overdrawn: something was dropped for what the file holds in all.
        dropped: what was dropped, in words, in order.

    """

    previews: Previews
    strict: bool = False
    spent: Cost = field(default_factory=Cost)
    refused: int = 0
    brief: str = ""
    overdrawn: bool = False
    dropped: list[str] = field(default_factory=list)

    def admits(self, wanted: Cost, *, strict: bool | None = None) -> bool:
        """Tell whether a value may stay, and count it."""
        limits = table("limits")
        strict = self.strict if strict is None else strict
        if _exceeds(wanted, limits["strict" if strict else "value"]):
            self.refused += wanted.opaque
            # where so much goes, what is left may be its short pieces
            self.overdrawn |= self.refused > _MUCH
            return False
        if _exceeds(self.spent + wanted, limits["file"]):
            self.overdrawn = True
            return False
        self.spent += wanted
        return True

    def within(self, wanted: Cost) -> bool:
        """Tell whether the parts of something, taken together, are no more than one value."""
        return not _exceeds(wanted, table("limits")["value"])

    def admits_text(self, text: str, wanted: Cost | None = None) -> bool:
        """Tell whether a text may stay, by itself and behind the brief ones before it; count it.

        Args:
            text: as people read it.
            wanted: what of it cannot be vouched for, where that is known.

        """
        wanted = cost(text) if wanted is None else wanted
        brief = 0 < len(text.strip()) <= _BRIEF
        if brief and not (wanted.opaque or wanted.identifiers) and not self._follows(text.strip()):
            return False
        # of a long text that can be read a few odd words are no pieces of anything
        plain = len(text) > 2 * _BRIEF and wanted.opaque * 8 <= len(text)
        return self.admits(wanted, strict=self.strict and not plain)

    def _follows(self, text: str) -> bool:
        """Tell whether brief texts, one behind the other, can still be read: pieces cannot."""
        joined = f"{self.brief} {text}"
        if self.strict or len(joined) > _HEARD:
            if cost(joined).opaque > table("limits")["value"]["opaque"]:
                self.overdrawn = True
                return False
            joined = joined[-_HEARD // 2 :] if self.strict else ""
        self.brief = joined
        return True

    def drop(self, where: str, size: int, why: str) -> None:
        """Note that a part is not written."""
        self.dropped.append(f"dropped: {where}, {_bytes(size)}, {why}")

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, each thing once."""
        return tuple(dict.fromkeys(self.dropped))


def settled(clean: Callable[[Ledger], Result], previews: Previews) -> tuple[Result, Ledger]:
    """Return what `clean` makes of a file, and the account; strictly where that is needed."""
    ledger = Ledger(previews)
    result = clean(ledger)
    if ledger.overdrawn:
        ledger = Ledger(previews, strict=True)
        result = clean(ledger)
    return result, ledger


def _exceeds(wanted: Cost, limits: dict[str, int]) -> bool:
    return any(getattr(wanted, kind) > most for kind, most in limits.items())


def _bytes(size: int) -> str:
    return f"{size} bytes" if size < 1000 else f"{size / 1000:.0f} kB"
