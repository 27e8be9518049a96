"""Forms of the account pages, and of everyone's logging in."""

from typing import Any, cast

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    UserCreationForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm

from users.dials import END, NAMES, NEUTRAL, Dials, word
from users.importers.history.columns import NAMED, Naming
from users.models import User
from users.throttle import WINDOW_SECONDS, LogInTries

NAME_TAKEN = "Somebody has that name already."


class ThrottledLogIn(AuthenticationForm):
    """Logging in, which stops those who guess."""

    error_messages = {
        "invalid_login": "That name and password do not go together. Mind upper and lower case.",
        "inactive": "This account is closed.",
        "too_many": f"Too many tries. Wait {WINDOW_SECONDS // 60} minutes, then try again.",
    }

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return super().clean()
        tries = LogInTries.of(self.request, name)
        if not tries.allow():
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        cleaned_data = super().clean()
        tries.forget()
        return cleaned_data


class LogInForm(ThrottledLogIn):
    """The site's own log in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Name"


class StaffLogInForm(ThrottledLogIn, UnfoldAuthenticationForm):
    """The admin's log in; `UNFOLD` in the settings names it."""


class SignUpForm(UserCreationForm):
    """A name and a password; an email address if they like."""

    class Meta:
        model = User
        fields = ("username", "email")
        field_classes = {"username": UsernameField}
        labels = {"username": "Name", "email": "Email (optional)"}
        help_texts = {"username": "Letters, digits and any of @ . + - _"}
        error_messages = {"username": {"unique": NAME_TAKEN}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        say_of_passwords(self.fields["password1"], self.fields["password2"])


class ChangePasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say_of_passwords(self.fields["new_password1"], self.fields["new_password2"])


def say_of_passwords(password: forms.Field, again: forms.Field) -> None:
    """Say in one line what makes a password, where Django takes five."""
    password.help_text = "Eight characters or more, and not digits alone."
    again.label = f"{password.label} again"
    again.help_text = ""


class ProfileForm(forms.ModelForm):
    """The name that the person logs in with, and their email address."""

    class Meta:
        model = User
        fields = ("username", "email")
        field_classes = {"username": UsernameField}
        labels = SignUpForm.Meta.labels
        help_texts = SignUpForm.Meta.help_texts
        error_messages = SignUpForm.Meta.error_messages

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs["autocomplete"] = "email"

    def clean_username(self) -> str:
        """Refuse a name that another person has, in whatever case."""
        name = str(self.cleaned_data["username"])
        others = User.objects.exclude(pk=self.instance.pk)
        if others.filter(username__iexact=name).exists():
            raise ValidationError(NAME_TAKEN)
        return name


class NamingForm(forms.Form):
    """Which column of a table says what."""

    title = forms.ChoiceField(label="Title", required=False)
    year = forms.ChoiceField(label="Year", required=False)
    rating = forms.ChoiceField(label="Rating", required=False)
    at = forms.ChoiceField(label="When you rated or saw it", required=False)
    imdb = forms.ChoiceField(label="IMDb number", required=False)
    tmdb = forms.ChoiceField(label="TMDB number", required=False)
    is_watchlist = forms.ChoiceField(
        label="Films without a rating",
        choices=[("", "I have seen them"), ("1", "I want to see them")],
        required=False,
    )

    def __init__(self, *args: Any, headings: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = [("", "no column"), *((heading, heading) for heading in headings if heading)]
        for name in NAMED:
            cast(forms.ChoiceField, self.fields[name]).choices = columns
        self.initial["is_watchlist"] = "1" if self.initial.get("is_watchlist") else ""

    @property
    def naming(self) -> Naming:
        """What a valid form says."""
        return Naming(
            **self.cleaned_data | {"is_watchlist": bool(self.cleaned_data["is_watchlist"])}
        )


class DeleteAccountForm(forms.Form):
    """The password of whoever wants their account deleted; who guesses must wait."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request, self._person = request, cast(User, request.user)

    @sensitive_variables()
    def clean_password(self) -> str:
        tries = LogInTries.of(self._request, self._person.username)
        if not tries.allow():
            raise ValidationError(ThrottledLogIn.error_messages["too_many"], code="too_many")
        password = str(self.cleaned_data["password"])
        if not self._person.check_password(password):
            raise ValidationError("That is not your password.")
        tries.forget()
        return password


DIAL_WORDS = {
    "obscurity": ("How well known", "Popular", "Obscure"),
    "adventure": ("How close to your films", "Safe", "Adventurous"),
    "newness": ("How new", "Older", "Newer"),
}
"""Each dial's label, and the words at its two ends."""


class DialsForm(forms.Form):
    """The dials, each as a slider with five stops; one that is left out stands as it did."""

    def __init__(self, *args: Any, dials: Dials = NEUTRAL, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._before = dials
        for name, stop in dials.to_dict().items():
            label, _, _ = DIAL_WORDS[name]
            self.fields[name] = forms.IntegerField(
                label=label,
                initial=stop,
                required=False,
                min_value=-END,
                max_value=END,
                widget=forms.NumberInput(attrs={"type": "range", "step": 1, "data-dial": ""}),
            )

    @property
    def dials(self) -> Dials:
        """Where the dials stand once a valid form has turned them."""
        turned = {name: stop for name in NAMES if (stop := self.cleaned_data.get(name)) is not None}
        return Dials(**self._before.to_dict() | turned)

    def sliders(self) -> list[dict[str, Any]]:
        """Each slider with its ends' words, its word now, and its words at all stops."""
        found = []
        for name in NAMES:
            _, low, high = DIAL_WORDS[name]
            words = [word(name, stop) or "as it comes" for stop in range(-END, END + 1)]
            stop = getattr(self._before, name)
            field = self[name]
            field.field.widget.attrs |= {
                "data-words": "|".join(words),
                "aria-valuetext": words[stop + END],
            }
            found.append({"field": field, "low": low, "high": high, "now": words[stop + END]})
        return found
