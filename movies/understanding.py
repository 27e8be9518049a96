"""What a query asks for in so many words: years, genres and people, and the rest, a description.

Only what is plainly a condition is taken as one: "thrillers from the nineties" asks for years,
"a private eye in the thirties" tells of them.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import Upper

from movies.models import Credit, Genre, MovieQuerySet, Person

# Names that are in few casts are too often ordinary words.
FEWEST_CREDITS = 3
LONGEST_NAME = 4


@dataclass(frozen=True)
class Condition:
    """One condition on films that was read off a query."""

    key: str
    """What it is called in an address, such as `genre:comedy`."""
    label: str
    """What it is called on a page, such as `Comedy`."""
    first_year: int | None = None
    last_year: int | None = None
    genre: str | None = None
    """A genre's slug."""
    person_id: int | None = None

    def narrow(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Return those of the films that meet it."""
        movies = movies.from_years(self.first_year, self.last_year)
        if self.genre is not None:
            movies = movies.of_genre(self.genre)
        if self.person_id is not None:
            credited = Credit.objects.filter(person_id=self.person_id)
            movies = movies.filter(pk__in=credited.values("movie_id"))
        return movies


@dataclass(frozen=True)
class Understood:
    """A query taken apart."""

    description: str
    """What is left of it when the conditions are taken out; it may be nothing."""
    conditions: tuple[Condition, ...] = ()

    def narrow(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Return those of the films that meet all conditions."""
        for condition in self.conditions:
            movies = condition.narrow(movies)
        return movies


def understand(text: str, plain: Collection[str] = ()) -> Understood:
    """Read the conditions off a query; those whose keys are in `plain` are left words."""
    reader = _Reader(text, frozenset(plain))
    reader.read_people()
    reader.read_years()
    reader.read_genres()
    return Understood(reader.rest(), tuple(reader.conditions))


class _Reader:
    """A query while it is being read: what has been understood is cut out of it."""

    def __init__(self, text: str, plain: frozenset[str]) -> None:
        self.text = " ".join(text.replace("’", "'").split())
        self.plain = plain
        self.conditions: list[Condition] = []

    def read_people(self) -> None:
        for name, person in _people_in(self.text):
            condition = Condition(f"person:{person.pk}", person.name, person_id=person.pk)
            self._take(condition, rf"(?:\b{_CREDITED} )?\b{re.escape(name)}(?:'s)?(?!\w)")

    def read_years(self) -> None:
        found = next(filter(None, (pattern.search(self.text) for pattern in _YEARS)), None)
        if not found:
            return
        first, last = _span(found["years"].lower())
        is_year = first == last
        condition = Condition(
            f"years:{first}" if is_year else f"years:{first}-{last}",
            str(first) if is_year else f"{first}s",
            first_year=first,
            last_year=last,
        )
        self._take(condition, rf"{re.escape(found['cut'])}(?!\w)")

    def read_genres(self) -> None:
        if not (asked := _REQUEST.match(self.text)):
            return
        named = asked["modifiers"] + asked["films"]
        slugs = {slug: word for slug, word in _GENRES.items() if re.search(word, named, re.I)}
        for genre in Genre.objects.filter(slug__in=slugs):
            condition = Condition(f"genre:{genre.slug}", genre.name, genre=genre.slug)
            self._take(condition, slugs[genre.slug])

    def rest(self) -> str:
        """What is left, without the words that only say that films are asked for."""
        text = self.text
        asked = _REQUEST.match(text)
        if not asked and not self.conditions:
            return text
        if asked:
            kept = "" if re.fullmatch(_FILMS, asked["films"], re.I) else asked["films"]
            text = f"{asked['modifiers']}{kept} {text[asked.end() :]}"
        text = re.sub(
            rf"^\W*(?:{_OPENING} )*(?:(?:{_ABOUT}) )?", "", f"{text.strip()} ", flags=re.I
        )
        return " ".join(text.split()).strip(" ,.;")

    def _take(self, condition: Condition, pattern: str) -> None:
        if condition.key not in self.plain:
            self.text = " ".join(re.sub(pattern, " ", self.text, count=1, flags=re.I).split())
            self.conditions.append(condition)


def _people_in(text: str) -> Iterator[tuple[str, Person]]:
    """Yield names in the text and whose they are, long names before the shorter ones in them."""
    words = re.findall(r"[\w'.-]+", text)
    names = {
        " ".join(words[start : start + length]).removesuffix("'s").upper()
        for length in range(2, LONGEST_NAME + 1)
        for start in range(len(words) - length + 1)
    }
    people = Person.objects.annotate(upper=Upper("name"), films=Count("credits"))
    named = people.filter(upper__in=names, films__gte=FEWEST_CREDITS)
    taken: list[str] = []
    for person in sorted(named, key=lambda person: (-len(person.name), -person.films)):
        name = person.name.lower()
        if not any(name in longer for longer in taken):
            taken.append(name)
            yield name, person


def _span(years: str) -> tuple[int, int]:
    """Return the first and the last year of "1994", "1990s", "90s" or "nineties"."""
    if years in _DECADES:
        return _DECADES[years], _DECADES[years] + 9
    digits = re.sub(r"\D", "", years)
    if years.isdigit():
        return int(digits), int(digits)
    first = int(digits)
    if len(digits) == 2:
        first += 2000 if first < FIRST_SHORT_DECADE else 1900
    return first, first + 9


_DECADES = {
    "twenties": 1920,
    "thirties": 1930,
    "forties": 1940,
    "fifties": 1950,
    "sixties": 1960,
    "seventies": 1970,
    "eighties": 1980,
    "nineties": 1990,
    "noughties": 2000,
}
# "10s" and "20s" may be of either century, but the later one has more films.
FIRST_SHORT_DECADE = 30

# By the slug of each genre, the words that ask for it.
_GENRES = {
    "action": r"\baction\b",
    "adventure": r"\badventures?\b",
    "animation": r"\b(?:animated|animation|animations|cartoons?)\b",
    "biography": r"\b(?:biographical|biographies|biography|biopics?)\b",
    "comedy": r"\b(?:comed(?:y|ies)|funny|hilarious)\b",
    "crime": r"\bcrime\b",
    "documentary": r"\bdocumentar(?:y|ies)\b",
    "drama": r"\bdramas?\b",
    "fantasy": r"\bfantas(?:y|ies)\b",
    "film-noir": r"\b(?:film[ -]noirs?|noirs?)\b",
    "horror": r"\b(?:horror|scary)\b",
    "musical": r"\bmusicals?\b",
    "mystery": r"\bmyster(?:y|ies)\b",
    "sci-fi": r"\b(?:sci[ -]?fi|science fiction)\b",
    "silent": r"\bsilent\b",
    "superhero": r"\bsuperhero(?:es)?\b",
    "thriller": r"\bthrillers?\b",
    "war": r"\bwar\b",
    "western": r"\bwesterns?\b",
}
_GENRE_NOUNS = (
    r"comed(?:y|ies)|thrillers?|westerns?|dramas?|musicals?|documentar(?:y|ies)|cartoons?|biopics?"
    r"|myster(?:y|ies)|film[ -]noirs?|noirs?|sci[ -]?fi|science fiction|horror"
)
_FILMS = r"films?|movies?|flicks?|pictures?"
_OPENING = r"(?:show me|find me|i want|looking for|an?|the|some|any|good|great|best)"
_ABOUT = r"about|with|where|in which|that|which|who|whose|set|starring|featuring|directed|by"
_CREDITED = r"(?:starring|featuring|directed by|played by|with|by|and|from)"
_END = rf"(?=$|,| (?:from|{_ABOUT}) )"
_REQUEST = re.compile(
    rf"(?:{_OPENING} )*(?P<modifiers>(?:[\w'-]+ ){{0,4}}?)(?P<films>{_FILMS}|{_GENRE_NOUNS}){_END}",
    re.I,
)
_DECADE = rf"(?:{'|'.join(_DECADES)}|(?:18|19|20)\d0'?s|'?\d0'?s)"
_STAGE = r"(?:the )?(?:(?:early|mid|late)[ -])?"
_SPAN = rf"(?P<years>{_DECADE}|(?:18[7-9]|19\d|20\d)\d)"
# In the order in which they are tried: "films of the nineties"; "from the nineties", "made in
# 1994"; "90s films"; "heist films 90s".
_YEARS = [
    re.compile(pattern, re.I)
    for pattern in (
        rf"\b(?:{_FILMS}|{_GENRE_NOUNS})(?P<cut> (?:of|in|from) {_STAGE}{_SPAN}){_END}",
        rf"(?P<cut>\b(?:from|(?:made|released|shot|filmed) in) {_STAGE}{_SPAN}){_END}",
        rf"^(?:{_OPENING} )*(?P<cut>(?:(?:early|mid|late)[ -])?{_SPAN})"
        rf"(?= (?:[\w'-]+ ){{0,3}}(?:{_FILMS}|{_GENRE_NOUNS}){_END})",
        r"(?<!\bin )(?<!\bin the )(?P<cut>(?<![\w'])(?P<years>(?:(?:19|20)\d|'?\d)0s))$",
    )
]
