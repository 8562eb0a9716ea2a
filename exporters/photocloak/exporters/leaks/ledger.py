"""What one file may still hold that nobody can vouch for, and what was dropped from it.

A face needs some hundred bytes. So a file may hold a few short things that cannot be read, such as
serial numbers and codes; many of them, or long ones, might be a picture in pieces.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from photocloak.exporters.leaks.blanks import blanks_cost
from photocloak.exporters.leaks.costs import FREE, Cost
from photocloak.exporters.leaks.drawn import look_drawn_together
from photocloak.exporters.leaks.previews import Previews
from photocloak.exporters.leaks.readability import cost
from photocloak.exporters.leaks.series import LITTLE, Series
from photocloak.exporters.leaks.stream import Stream
from photocloak.exporters.leaks.tables import table

Result = TypeVar("Result")

_MUCH, _PIECE = 1000, 512  # characters or bytes: of what went in pieces, of one piece
_WINDOW = 1 << 14  # bytes of binary values looked at together
_PASSES = 4  # of a file with series in pieces
_LONG = 80  # characters of a text in which a few odd words are no pieces of anything
# A text that stays says when it comes again which one it is, no more: a letter among few.
_AGAIN, _NOTABLE = Cost(digits=1), 8


@dataclass
class Ledger:
    """The account of one file.

    Attributes:
        previews: makes what stands in the place of old previews.
        strict: a file that had too much in all is judged again with smaller limits a value.
        spent: what the parts that were kept hold.
        refused: unreadable characters or bytes that went, in values that may be pieces.
        stream: what the texts that were kept read as together.
        texts: that were kept, of eight characters and more.
        settings: the binary values of MakerNotes that might stay, one behind the other.
        pixels: they were pixels, so none stays that is longer than a number.
        series: what became of the values of each name.
        cut_up: names of which no value stays that says something.
        overdrawn: something was dropped for what the file holds in all.
        dropped: what was dropped, in words, in order.
        colours: the part that had to go although it says how the colours are meant; empty: none.

    """

    previews: Previews
    strict: bool = False
    spent: Cost = field(default_factory=Cost)
    refused: int = 0
    stream: Stream = field(default_factory=Stream)
    texts: set[str] = field(default_factory=set)
    settings: bytearray = field(default_factory=bytearray)
    pixels: bool = False
    series: dict[str, Series] = field(default_factory=dict)
    cut_up: frozenset[str] = frozenset()
    overdrawn: bool = False
    dropped: list[str] = field(default_factory=list)
    colours: str = ""

    def admits(self, wanted: Cost, *, strict: bool | None = None, series: str = "") -> bool:
        """Tell whether a value may stay, and count it.

        Args:
            wanted: what of it cannot be vouched for.
            strict: judge it by the smaller limits; None: as all of the file.
            series: what it goes by with others of its kind; empty: it is by itself.

        """
        piece = series in self.cut_up and wanted.said > LITTLE
        admitted = not piece and self._admits(wanted, self.strict if strict is None else strict)
        if series:
            self.series.setdefault(series, Series()).count(wanted.said, admitted=admitted)
        return admitted

    def _admits(self, wanted: Cost, strict: bool) -> bool:
        limits = table("limits")
        if self.pixels and len(wanted.raw) > LITTLE:
            return False
        if _exceeds(wanted, limits["strict" if strict else "value"]):
            if wanted.opaque <= _PIECE:  # a larger value is whole; of texts see below
                self._refuse(wanted.opaque)
            return False
        self.settings += wanted.raw
        most = limits["pieces" if self.strict else "file"]
        if _exceeds(self.spent + wanted, most) or not self.stream.takes(wanted, strict=self.strict):
            self.overdrawn = True
            return False
        self.spent += replace(wanted, words=(), letters="", raw=b"")
        return True

    def within(self, wanted: Cost) -> bool:
        """Tell whether the parts of something, taken together, are no more than one value."""
        return not _exceeds(wanted, table("limits")["value"])

    def admits_text(self, text: str, wanted: Cost | None = None, *, series: str = "") -> bool:
        """Tell whether a text may stay, and count it.

        Args:
            text: as people read it.
            wanted: what of it cannot be vouched for, where that is known.
            series: as for `admits`.

        """
        wanted = cost(text) if wanted is None else wanted
        if blanks_cost(text) == FREE:
            text = text.strip()
        if text in self.texts:
            again = _AGAIN if wanted.unread or wanted.identifiers else FREE
            return self.admits(again, series=series)
        plain = len(text) > _LONG and wanted.opaque * 8 <= len(text)
        admitted = self.admits(wanted, strict=self.strict and not plain, series=series)
        if admitted and len(text) >= _NOTABLE:
            self.texts.add(text)
        if not admitted and wanted.opaque > _PIECE:
            self._refuse(wanted.opaque)
        return admitted

    def _refuse(self, opaque: int) -> None:
        """Count what goes: where that is much, what is left may be its short pieces."""
        self.refused += opaque
        self.overdrawn |= self.refused > _MUCH

    def drop(self, where: str, size: int, why: str) -> None:
        """Note that a part is not written."""
        self.dropped.append(f"dropped: {where}, {_bytes(size)}, {why}")

    @property
    def drawn(self) -> bool:
        """Whether the binary values that might stay are pixels, taken together."""
        parts = range(0, len(self.settings), _WINDOW)
        return any(look_drawn_together(bytes(self.settings[at : at + _WINDOW])) for at in parts)

    @property
    def pieces(self) -> frozenset[str]:
        """The names whose values must be taken for pieces of something."""
        return frozenset(name for name, one in self.series.items() if one.is_cut_up)

    @property
    def is_in_doubt(self) -> bool:
        """Whether the file has to be judged again, with all that this account tells."""
        first = not self.strict and (self.overdrawn or self.drawn)
        return first or not self.pieces <= self.cut_up

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, each thing once."""
        return tuple(dict.fromkeys(self.dropped))


def settled(
    clean: Callable[[Ledger], Result], previews: Previews, *, in_place: bool = False
) -> tuple[Result, Ledger]:
    """Return what `clean` makes of a file, and the account; strictly where that is needed.

    Args:
        clean: judges the file.
        previews: makes what stands in the place of old previews.
        in_place: `clean` overwrites what has to go, so that it does not see it again.

    Raises:
        ValueError: without what has to go the colours would change, or there is no end to it.

    """
    ledger = Ledger(previews)
    result = clean(ledger)
    for _ in range(_PASSES):
        if not ledger.is_in_doubt:
            break
        ledger = _anew(ledger, in_place=in_place)
        result = clean(ledger)
    if ledger.is_in_doubt:
        raise ValueError("too much of what it says cannot be vouched for")
    if ledger.colours:
        raise ValueError(
            f"its {ledger.colours} holds what cannot be vouched for, and without it the colours "
            "would change"
        )
    return result, ledger


def _anew(ledger: Ledger, *, in_place: bool) -> Ledger:
    """Return a strict account after one that leaves doubts."""
    pixels, pieces = ledger.pixels or ledger.drawn, ledger.cut_up | ledger.pieces
    fresh = Ledger(ledger.previews, strict=True, pixels=pixels, cut_up=pieces)
    if in_place:
        fresh.dropped, fresh.colours = ledger.dropped, ledger.colours
        fresh.series = {name: Series(one.refused) for name, one in ledger.series.items()}
    return fresh


def _exceeds(wanted: Cost, limits: dict[str, int]) -> bool:
    return any(getattr(wanted, kind) > most for kind, most in limits.items())


def _bytes(size: int) -> str:
    return f"{size} bytes" if size < 1000 else f"{size / 1000:.0f} kB"
