"""By what films are to be alike: what a page's address asks for, and how a person asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode

from recommender.models import Space
from recommender.serving.similar import BLEND

MOST = 10
"""The far end of a slider: 0 leaves a space out, and only proportions count."""

LABELS = {
    Space.TASTE: "By taste",
    Space.NEIGHBOURS: "By those who watched it",
    Space.STORY: "By story",
    Space.PEOPLE: "By people",
    Space.WORDS: "By words",
}
BLENDED = "Blended"
REASONS = {
    Space.TASTE: "The nearest in people’s taste, by how they rated.",
    Space.NEIGHBOURS: "What people rated just before and after it.",
    Space.STORY: "The nearest by what happens in them.",
    Space.PEOPLE: "The nearest by who made them and who plays.",
    Space.WORDS: "The nearest by the words that tell of them.",
}
SLIDERS = {
    Space.TASTE: "Taste",
    Space.NEIGHBOURS: "Those who watched it",
    Space.STORY: "Story",
    Space.PEOPLE: "People",
    Space.WORDS: "Words",
}


@dataclass(frozen=True)
class Choice:
    """One way for films to be alike, to be chosen by a link."""

    name: str
    label: str
    query: str
    """What the address asks by it, without the question mark."""
    is_chosen: bool


class LikenessForm(forms.Form):
    """What an address asks for among the spaces that are offered: one of them, or a blend.

    What is wrong or not offered is passed over, as an address may be older than a space.
    """

    def __init__(self, data: QueryDict, offered: Iterable[str]) -> None:
        super().__init__(data)
        self.offered = [space for space in LABELS if space in set(offered)]
        for space in self.offered:
            self.fields[space] = forms.IntegerField(
                label=SLIDERS[space],
                required=False,
                min_value=0,
                max_value=MOST,
                widget=forms.NumberInput(
                    attrs={"type": "range", "step": 1, "id": f"likeness-{space}"}
                ),
            )
        self.is_valid()
        self._typed = {
            space: self.cleaned_data[space]
            for space in self.offered
            if self.cleaned_data.get(space) is not None
        }

    @property
    def space(self) -> str | None:
        """The one space that answers; None for a blend, or where none is offered."""
        asked = self.data.get("space")
        if asked in self.offered:
            return str(asked)
        if any(self._typed.values()) or asked == "blend":
            return None
        if Space.TASTE in self.offered:
            return Space.TASTE.value
        return self.offered[0] if len(self.offered) == 1 else None

    @property
    def is_blend(self) -> bool:
        return self.space is None and len(self.offered) > 1

    @property
    def weights(self) -> Mapping[str, float] | None:
        """What each space counts; None where nothing is to choose."""
        if not self.offered:
            return None
        if self.space is not None:
            return {self.space: 1}
        return self._typed if any(self._typed.values()) else BLEND

    @property
    def query(self) -> str:
        """The address's own part, empty where it says nothing."""
        if self.is_blend:
            return urlencode(self._typed) if any(self._typed.values()) else "space=blend"
        return f"space={self.space}" if self.data.get("space") == self.space and self.space else ""

    @property
    def reason(self) -> str:
        """Why these films, in a sentence."""
        if self.is_blend:
            return "The nearest by several things at once, each weighed as the sliders stand."
        return REASONS[Space(self.space or Space.TASTE)]

    def choices(self) -> list[Choice]:
        """The ways to choose from, none where there is but one."""
        if len(self.offered) < 2:
            return []
        single = [
            Choice(space, LABELS[Space(space)], f"space={space}", space == self.space)
            for space in self.offered
        ]
        return [*single, Choice("blend", BLENDED, "space=blend", self.is_blend)]

    def sliders(self) -> list[dict[str, Any]]:
        """Each space's field, and where it stands."""
        return [
            {
                "field": self[space].as_widget(attrs={"value": self._standing(space)}),
                "id": f"likeness-{space}",
                "label": SLIDERS[Space(space)],
            }
            for space in self.offered
        ]

    def _standing(self, space: str) -> float:
        weights = self._typed if any(self._typed.values()) else BLEND
        return weights.get(space, 0)
