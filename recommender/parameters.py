"""Settings that a person may type: frozen dataclasses whose numbers know their bounds."""

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Search:
    """Where tuning looks for a setting's value: the part of its bounds that may be good."""

    low: float
    high: float
    log: bool = False
    """Each order of magnitude is as likely, not each number."""
    scale: Callable[[Mapping[str, float]], float] | None = None
    """Of a setting whose good value moves with others: how, up to a constant, given all of them.
    `low` and `high` are then multiples of the default, moved from the default's companions to the
    trial's: value = multiple · default · scale(values) / scale(defaults)."""
    landmarks: tuple[float, ...] = ()
    """Values that stand for other ways of doing things. An early trial has the first of every
    setting's, the next one the second; a setting that has no more stays at its last."""
    glance: float | None = None
    """A cheaper value that already tells the bad from the good: a trial is tried with it first."""


def number(default: float, low: float, high: float, search: Search | None = None) -> Any:
    """A dataclass field holding a number between `low` and `high`, both included.

    Without `search`, tuning leaves it at its default.
    """
    metadata = {"low": low, "high": high, "search": search}
    return dataclasses.field(default=default, metadata=metadata)


class Parameters:
    """Base of frozen dataclasses of `number` fields: checked when made, JSON-able, readable back.

    Making one with a value that is no number or out of bounds raises ValueError, and the message
    begins with the field's name.
    """

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = _read(field, kinds[field.name], getattr(self, field.name))
            object.__setattr__(self, field.name, value)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> typing.Self:
        """Settings from numbers or from text as typed into a form; absent names keep defaults.

        Raises ValueError naming the first field that is unknown, no number, or out of bounds.
        """
        known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        for name in values:
            if name not in known:
                raise ValueError(f"{name}: there is no such setting")
        return cls(**values)

    def to_dict(self) -> dict[str, float]:
        """The settings as plain JSON numbers: `from_dict(to_dict())` is equal."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]


Settings = typing.TypeVar("Settings", bound=Parameters)


class Configured(typing.Generic[Settings]):
    """Base of what is made with settings of one kind, or with that kind's defaults."""

    kind: type[Settings]

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or self.kind()

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> typing.Self:
        """From the settings' fields. Raises ValueError naming a bad field."""
        return cls(cls.kind.from_dict(values))

    @property
    def settings(self) -> Settings:
        """The settings it was made with."""
        return self._settings


def _read(field: "dataclasses.Field[Any]", kind: type, value: object) -> float:
    """`value` as the field's `int` or `float`, or ValueError."""
    low, high = field.metadata["low"], field.metadata["high"]
    what = "a whole number" if kind is int else "a number"
    complaint = f"{field.name}: must be {what} between {low} and {high}, not {value!r}"
    # bool is an int to Python, never to a person who fills in a form.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(complaint)
    try:
        read = float(value)
    except (ValueError, OverflowError):
        raise ValueError(complaint) from None
    whole = kind is not int or read.is_integer()
    if not math.isfinite(read) or not whole or not low <= read <= high:
        raise ValueError(complaint)
    return int(read) if kind is int else read
