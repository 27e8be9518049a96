"""The training console's forms. A run's parameters come from the classes that read them."""

import ast
import dataclasses
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from typing import Any, get_type_hints

from django import forms

from recommender import schedule, tuned
from recommender.embedders import DEFAULT, EMBEDDERS, FILM_EMBEDDERS, als, blend, ease
from recommender.interactions import Weighting
from recommender.models import Space
from recommender.parameters import Parameters
from recommender.training import studies

GROUPS: dict[str, type[Parameters]] = {
    "Factorization (iALS)": als.Settings,
    "Item-based model (EASE)": ease.Settings,
    "How they are blended": blend.Joint,
    "What a rating counts for": Weighting,
}


def groups_of(space: str, embedder: str) -> dict[str, type[Parameters]]:
    """The classes that read a technique's parameters, by heading."""
    if not Space(space).knows_people:
        technique = FILM_EMBEDDERS[space][embedder]
        return {"The technique": type(technique.from_dict({}).settings)}
    if embedder == DEFAULT:
        return GROUPS
    technique_of_taste = type(EMBEDDERS[embedder].from_dict({}).settings)
    return {"The technique": technique_of_taste, "What a rating counts for": Weighting}


class RetrainForm(forms.Form):
    """What to train with. A field left empty takes what was tuned, or else its default."""

    promote = forms.BooleanField(
        required=False,
        initial=True,
        label="Go live unless it is worse than the live version",
        help_text="Without, it waits here as a candidate until someone promotes it.",
    )

    def __init__(
        self, *args: Any, space: str = Space.TASTE, embedder: str = DEFAULT, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.space, self.embedder = space, embedder
        self._groups = groups_of(space, embedder)
        otherwise = tuned.resolve(space, embedder).parameters
        self.fields |= {
            field.name: _number_field(group, field, otherwise[field.name])
            for group in self._groups.values()
            for field in dataclasses.fields(group)  # type: ignore[arg-type]
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for group in self._groups.values():
            for field in dataclasses.fields(group):  # type: ignore[arg-type]
                if text := cleaned.get(field.name):
                    try:
                        cleaned[field.name] = getattr(group(**{field.name: text}), field.name)
                    except ValueError as error:
                        self.add_error(field.name, _sentence(str(error)))
        return cleaned

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters that were typed, as numbers."""
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "promote" and value != ""
        }

    def refuse(self, message: str) -> None:
        """Put a ValueError's "name: why" beside the field it names."""
        name, _, _ = message.partition(":")
        self.add_error(name if name in self.fields else None, _sentence(message))

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Each group's heading and fields, in the order of the classes."""
        for heading, group in self._groups.items():
            fields = dataclasses.fields(group)  # type: ignore[arg-type]
            yield heading, [self[field.name] for field in fields]


class TuneForm(forms.Form):
    """How much to search. A field left empty takes its default."""

    fresh = forms.BooleanField(
        required=False,
        label="Begin a new study",
        help_text="Otherwise the search goes on where the last one ended, if the ratings are much"
        " the same.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= {
            field.name: _number_field(studies.Effort, field, field.default)
            for field in dataclasses.fields(studies.Effort)
            if field.name != "fresh"
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        typed = {name: value for name, value in cleaned.items() if value != "" and name != "fresh"}
        try:
            effort = studies.Effort.from_dict({**typed, "fresh": int(cleaned["fresh"])})
            cleaned["effort"] = effort
        except ValueError as error:
            name, _, _ = str(error).partition(":")
            self.add_error(name, _sentence(str(error)))
        return cleaned

    @property
    def effort(self) -> studies.Effort:
        """What was asked for, once the form is valid."""
        effort: studies.Effort = self.cleaned_data["effort"]
        return effort


class ScheduleForm(forms.Form):
    """When to retrain without being asked, and what."""

    every = forms.ChoiceField(
        choices=[choice for choice in schedule.Every.choices if choice[0] != "other"],
        label="Retrain",
    )
    weekday = forms.TypedChoiceField(
        choices=schedule.Weekday.choices,
        coerce=lambda value: schedule.Weekday(int(value)),
        label="On",
        help_text="For every week.",
    )
    hour = forms.TypedChoiceField(
        choices=[(hour, f"{hour:02d}:00") for hour in range(24)], coerce=int, label="At (UTC)"
    )
    spaces = forms.ChoiceField(choices=schedule.Spaces.choices, label="What")


def _number_field(
    group: type[Parameters], field: "dataclasses.Field[Any]", otherwise: float
) -> forms.CharField:
    """A field that leaves reading to the class, so that page, command and API refuse alike.

    `otherwise` is what holds where nothing is typed.
    """
    low, high = field.metadata["low"], field.metadata["high"]
    is_whole = get_type_hints(group)[field.name] is int
    bounds = f"From {low:,} to {high:,}." if is_whole else f"From {low:g} to {high:g}."
    return forms.CharField(
        required=False,
        label=field.name.replace("_", " ").capitalize(),
        help_text=f"{_documentation(group)[field.name]} {bounds}",
        widget=forms.NumberInput(
            attrs={
                "min": low,
                "max": high,
                "step": 1 if is_whole else "any",
                "placeholder": f"{otherwise:g}",
            }
        ),
    )


def _documentation(group: type[Parameters]) -> dict[str, str]:
    """The string under each field of the class, and of those that it is made from."""
    inherited = [_documentation(base) for base in group.__bases__ if base is not Parameters]
    own = _own_strings(group)
    return {name: text for part in [*inherited, own] for name, text in part.items()}


def _own_strings(group: type[Parameters]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(group)))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        field.target.id: " ".join(text.value.value.replace("`", "").split())
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def _sentence(message: str) -> str:
    """ "factors: must be …" as "Must be …." """
    text = message.partition(": ")[2] or message
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
