"""The dials by which a person turns their recommendations: three of them, each with five stops."""

from dataclasses import dataclass, fields

END = 2
"""The last stop of a dial on either side; 0 is the middle, where a dial does nothing."""


@dataclass(frozen=True)
class Dials:
    """Where a person's dials stand, each at a whole number from -2 to 2.

    Raises ValueError for any other.
    """

    obscurity: int = 0
    """From what many have rated (-2) to what few have (2)."""
    adventure: int = 0
    """From what is near to the person's own films (-2) to what is far from them (2)."""
    newness: int = 0
    """From older films (-2) to newer ones (2)."""

    def __post_init__(self) -> None:
        for name, stop in vars(self).items():
            if not isinstance(stop, int) or abs(stop) > END:
                raise ValueError(f"{name}: must be a whole number from {-END} to {END}")

    @property
    def are_neutral(self) -> bool:
        return self == NEUTRAL

    def to_dict(self) -> dict[str, int]:
        # By `asdict`, which copies deeply, every list would take long over three numbers.
        return dict(vars(self))


NEUTRAL = Dials()
NAMES = [field.name for field in fields(Dials)]


WORDS = {
    "obscurity": ["much more popular", "more popular", "", "more obscure", "much more obscure"],
    "adventure": ["much safer", "safer", "", "more adventurous", "much more adventurous"],
    "newness": ["much older", "older", "", "newer", "much newer"],
}
"""What each stop of each dial asks for, from the lowest up."""


def word(name: str, stop: int) -> str:
    """Return what a stop of a dial asks for, such as "more obscure"; nothing in the middle."""
    return WORDS[name][stop + END]
