"""How a tuning went, as points for the page to draw: no script, no library."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from recommender.models import TuningTrial

WIDTH, HEIGHT = 600, 200
_PADDING = 8
# Trials far below the best would press the rest together at the top.
_DEPTH = 3.0


@dataclass(frozen=True)
class Dot:
    """A trial that was seen through, in the drawing's units from its upper left corner."""

    x: float
    y: float
    trial: TuningTrial
    is_best: bool


@dataclass(frozen=True)
class Chart:
    """The trials' NDCG@20 in the order of their making."""

    dots: list[Dot]
    best_so_far: str
    """The corners of a line of steps, as an SVG polyline takes them."""
    defaults_y: float
    top: float
    """NDCG@20 at the upper edge."""
    bottom: float
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class _Scale:
    """Trials and their values to the drawing's units."""

    trials: int
    low: float
    high: float
    span: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "span", max(self.high - self.low, 1e-9))

    def x(self, number: int) -> float:
        share = number / max(1, self.trials - 1)
        return round(_PADDING + share * (WIDTH - 2 * _PADDING), 1)

    def y(self, value: float) -> float:
        share = (self.high - max(value, self.low)) / self.span
        return round(_PADDING + share * (HEIGHT - 2 * _PADDING), 1)


def draw(trials: Sequence[TuningTrial]) -> Chart | None:
    """Return the chart of a study's trials by number, or None before two were seen through."""
    whole = [trial for trial in trials if trial.value is not None]
    if len(whole) < 2:
        return None
    base, best = _value(whole[0]), max(map(_value, whole))
    # As far below the defaults as the best is above them, and a few times that at most.
    reach = max(best - base, 0.02 * base)
    low = max(min(map(_value, whole)), base - _DEPTH * reach)
    scale = _Scale(trials[-1].number + 1, low, best)
    dots = [
        Dot(scale.x(trial.number), scale.y(_value(trial)), trial, trial.value == best)
        for trial in whole
    ]
    return Chart(dots, _steps(whole, scale), scale.y(base), best, low)


def _steps(whole: Sequence[TuningTrial], scale: _Scale) -> str:
    """The best value so far: level until a better trial, then straight up."""
    corners = []
    best = _value(whole[0])
    for trial in whole:
        corners.append((scale.x(trial.number), scale.y(best)))
        if _value(trial) > best:
            best = _value(trial)
            corners.append((scale.x(trial.number), scale.y(best)))
    corners.append((WIDTH - _PADDING, scale.y(best)))
    return " ".join(f"{x},{y}" for x, y in corners)


def _value(trial: TuningTrial) -> float:
    return trial.value or 0.0
