"""The search itself, over arrays: no database."""

import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from recommender.embedders import ease, silent
from recommender.interactions import Ratings
from recommender.training import tuning
from recommender.training.search_space import SearchSpace
from recommender.training.trials import Plan, Trial
from recommender.training.tuning import PUBLISHED, SITE

search = partial(tuning.search, embedder="als")

SMALL = {"factors": 8, "iterations": 5}
# Takes a dislike for a like, so that nothing is left to learn from the two camps.
BAD = {**SMALL, "below": 1.0, "growth": 0.0}


def two_camps(people: int = 200, films: int = 80, share: float = 0.4) -> Ratings:
    """Even people like even films and dislike the odd ones, and vice versa."""
    random = np.random.default_rng(7)
    users, movies = np.nonzero(random.random((people, films)) < share)
    values = np.where(users % 2 == movies % 2, 9, 3)
    return Ratings(users + 1, movies + 1, values, random.permutation(len(users)))


class Scribe(tuning.Listener):
    """Keeps what it hears, and stops the search when told to."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.ended_trials: list[Trial] = []
        self.notes: list[str] = []
        self.fractions: list[float] = []
        self._stop_after = stop_after

    def note(self, line: str) -> None:
        self.notes.append(line)

    def report(self, fraction: float, message: str) -> None:
        self.fractions.append(fraction)
        if self._stop_after is not None and len(self.ended_trials) >= self._stop_after:
            self._stop_after = None
            raise tuning.StopSearch

    def ended(self, trial: Trial) -> None:
        self.ended_trials.append(trial)


def settings(trials: Sequence[Trial]) -> list[dict[str, float]]:
    return [trial.parameters for trial in trials]


def test_the_defaults_are_tried_first_and_all_trials_are_told():
    scribe = Scribe()
    result = search(two_camps(), seconds=60, defaults=SMALL, most_trials=4, listener=scribe)
    assert result.trials == scribe.ended_trials and len(result.trials) == 4
    first = result.trials[0]
    assert {name: first.parameters[name] for name in SMALL} == SMALL
    assert first.value == pytest.approx(np.mean(first.looks[1:]))


def test_bad_defaults_are_beaten_beyond_luck():
    result = search(two_camps(), seconds=60, defaults=BAD, most_trials=8)
    assert result.is_better and result.gain.percent > 5
    assert result.parameters != result.trials[0].parameters
    assert result.parameters in settings(result.trials)


def test_the_published_protocol_asks_about_every_rating_that_was_held_out():
    result = search(two_camps(), PUBLISHED, seconds=60, defaults=BAD, most_trials=1)
    by_site = search(two_camps(), SITE, seconds=60, defaults=BAD, most_trials=1)
    # Twice as many films are relevant, and every person rated some.
    assert result.trials[0].value > by_site.trials[0].value


def test_where_there_is_nothing_to_find_the_defaults_stay():
    random = np.random.default_rng(0)
    users, movies = np.nonzero(random.random((150, 60)) < 0.3)
    noise = Ratings(users, movies, random.integers(1, 11, len(users)), np.zeros(len(users)))
    result = search(noise, seconds=60, defaults=SMALL, most_trials=6)
    assert not result.is_better
    assert result.parameters == result.trials[0].parameters


def test_the_same_seed_makes_the_same_trials_and_another_seed_others():
    def made(seed: int) -> list[tuple]:
        result = search(two_camps(), seconds=120, defaults=SMALL, most_trials=13, seed=seed)
        return [(trial.parameters, trial.looks, trial.value) for trial in result.trials]

    first = made(1)
    assert made(1) == first
    assert made(2)[1:] != first[1:]


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been():
    whole = search(two_camps(), seconds=120, defaults=SMALL, most_trials=13)
    scribe = Scribe(stop_after=11)
    stopped = search(two_camps(), seconds=120, defaults=SMALL, listener=scribe)
    assert len(stopped.trials) == 11
    resumed = search(
        two_camps(), seconds=120, defaults=SMALL, most_trials=13, trials=stopped.trials
    )
    assert settings(resumed.trials) == settings(whole.trials)
    assert resumed.trials[:11] == stopped.trials


def test_a_search_that_is_stopped_still_checks_what_it_has():
    good = SearchSpace.of("als", SMALL).defaults
    result = search(
        two_camps(), seconds=120, defaults=BAD, hints=[good], listener=Scribe(stop_after=2)
    )
    assert len(result.trials) == 2
    assert result.is_better and result.parameters == good


def test_what_a_part_has_learnt_is_not_learnt_again_and_gives_the_same(monkeypatch):
    defaults = {"factors": 8, "iterations": 6, "rank": 8}
    learnt: list[ease.Settings] = []
    learn = ease.ReducedRankEASE.fit

    def noted(embedder, interactions, progress=silent):
        learnt.append(embedder.settings)
        return learn(embedder, interactions, progress)

    monkeypatch.setattr(ease.ReducedRankEASE, "fit", noted)

    def made() -> list[tuple]:
        learnt.clear()
        result = tuning.search(
            two_camps(), seconds=120, embedder="blend", defaults=defaults, most_trials=3
        )
        return [(trial.parameters, trial.looks) for trial in result.trials]

    kept = made()
    # The first look at the defaults and the second are at one fold, and the others at one each.
    looks = [len(look) for _, look in kept]
    fewer = len(learnt)
    monkeypatch.setattr(tuning, "KEPT_PARTS", 0)
    assert made() == kept
    assert len(learnt) >= sum(looks)
    assert fewer <= len(learnt) - 3


def test_the_clock_is_kept():
    scribe = Scribe()
    began = time.monotonic()
    result = search(two_camps(), seconds=4, defaults=BAD, listener=scribe)
    assert time.monotonic() - began < 8
    assert result.trials
    assert scribe.fractions == sorted(scribe.fractions)


def test_with_no_time_at_all_the_defaults_stay():
    result = search(two_camps(), seconds=0, defaults=SMALL)
    assert (result.trials, result.gain, result.is_better) == ([], None, False)
    assert result.parameters["factors"] == 8


def test_bad_trials_are_given_up_early():
    result = search(two_camps(), seconds=120, defaults=SMALL, most_trials=20)
    given_up = [trial for trial in result.trials if trial.value is None]
    assert given_up
    assert all(1 <= len(trial.looks) < 3 for trial in given_up)


def test_settings_that_cannot_be_fitted_fail_alone():
    defaults = SearchSpace.of("als", SMALL).defaults
    hints = [{**defaults, "factors": 2**40}]
    result = search(two_camps(), seconds=60, defaults=SMALL, most_trials=3, hints=hints)
    assert result.trials[1].error.startswith("factors: ")
    assert result.trials[1].value is None
    assert len(result.trials) == 3


def test_hints_are_tried_right_after_the_defaults():
    good = {**SearchSpace.of("als", SMALL).defaults, "alpha": 2.0}
    result = search(two_camps(), seconds=60, defaults=BAD, most_trials=2, hints=[good])
    assert result.trials[1].parameters == good
    assert result.is_better and result.parameters == good


def test_too_few_ratings_are_said_to_be_too_few():
    alone = Ratings([1], [1], [10], [0])
    with pytest.raises(tuning.NothingToTune, match="too few"):
        search(alone, seconds=5)


def test_people_are_drawn_with_all_their_ratings():
    ratings = two_camps()
    sample = tuning.sample_people(ratings, len(ratings) // 4, seed=3)
    assert len(ratings) / 8 < len(sample) < len(ratings) / 2
    people = np.unique(sample.user_ids)
    assert len(sample) == np.isin(ratings.user_ids, people).sum()


def test_of_too_many_ratings_a_part_is_searched_with_and_that_is_said(monkeypatch):
    monkeypatch.setattr(tuning, "SEARCHED_RATINGS", 2000)
    scribe = Scribe()
    search(two_camps(), seconds=30, defaults=SMALL, most_trials=1, listener=scribe)
    assert scribe.notes[0].startswith("Searching with ")


def test_suggestions_lie_in_the_space():
    space = SearchSpace.of("als", SMALL)
    plan = Plan(space, seed=5)
    trials: list[Trial] = []
    random = np.random.default_rng(0)
    for number in range(15):
        parameters = plan.next(trials).trial.parameters
        assert all(0 <= place <= 1 for place in space.point(parameters).values())
        value = float(random.random())
        trials.append(Trial(number, parameters, (value, value), value))
    assert len({tuple(trial.parameters.items()) for trial in trials}) == 15


def test_a_split_by_time_asks_about_earlier_ratings_in_each_further_fold():
    ratings = two_camps()
    first, second = (tuning.by_time(ratings, fold) for fold in (0, 1))
    assert len(first.training) == len(second.training) + len(second.held_out)
    pairs = [
        set(zip(s.held_out.user_ids, s.held_out.movie_ids, strict=True)) for s in (first, second)
    ]
    assert not pairs[0] & pairs[1]


def test_now_and_then_one_setting_of_the_best_trial_is_drawn_anew():
    space = SearchSpace.of("als", SMALL)
    trials = [Trial(n, dict(space.defaults), (0.1, 0.1), 0.1) for n in range(12)]
    best = space.parameters(dict.fromkeys(space.point(space.defaults), 0.5))
    trials[5] = Trial(5, best, (0.3, 0.3), 0.3)
    leap = space.point(Plan(space, seed=5).next(trials).trial.parameters)
    places = space.point(best)
    changed = [name for name in places if leap[name] != pytest.approx(places[name], abs=0.02)]
    assert len(changed) == 1
