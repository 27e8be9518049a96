"""The scales on which people rate films elsewhere, and our half stars."""

from django.db import models

MIN_HALF_STARS, MAX_HALF_STARS = 1, 10


class Scale(models.TextChoices):
    STARS = "stars", "stars, up to 5"
    TEN = "ten", "points, up to 10"
    PERCENT = "percent", "percent"

    @property
    def top(self) -> int:
        return {Scale.STARS: 5, Scale.TEN: 10, Scale.PERCENT: 100}[self]

    def half_stars(self, rating: float) -> int | None:
        """Return the rating as half stars (1 to 10), None where it is none.

        Nothing of stars or points is a film that was not rated; of percent it is the lowest.

        Raises:
            ValueError: the rating is not on the scale.
        """
        if not 0 <= rating <= self.top:
            raise ValueError(f"{rating:g} is not on the scale of 0 to {self.top}")
        if rating == 0 and self is not Scale.PERCENT:
            return None
        nearest = int(rating * MAX_HALF_STARS / self.top + 0.5)
        return max(MIN_HALF_STARS, nearest)

    @classmethod
    def of(cls, highest: float) -> "Scale":
        """Return the narrowest scale that holds the highest of some ratings.

        Raises:
            ValueError: none does.
        """
        for scale in cls:
            if highest <= scale.top:
                return scale
        raise ValueError(f"{highest:g} is on no scale of 5, 10 or 100")
