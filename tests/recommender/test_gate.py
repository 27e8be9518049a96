"""The release gate: what goes live by itself, what is held, and how a person overrides it."""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommender import vectors
from recommender.interactions import Weighting
from recommender.models import ModelVersion, TrainingRun
from recommender.training import gate, pipeline, runs
from recommender.training.gate import Difference, Rival
from tests.conftest import SMALL
from tests.worker import wait_until, worker
from users.models import Rating, User

pytestmark = pytest.mark.django_db(transaction=True)

# Takes dislikes for likes, so that it cannot tell the two camps apart.
BLIND = SMALL | {"below": 1.0, "growth": 0.0}


def execute(parameters=SMALL, promote=True) -> ModelVersion:
    return pipeline.execute(runs.create(parameters=parameters, promote=promote))


def test_the_first_version_goes_live_with_its_figures_beside_most_popular(camps):
    first = execute(BLIND)
    assert first.state == "live"
    assert first.comparison["live"] is None
    assert first.comparison["against_popular"]["people"] == first.metrics["model"]["users"]
    assert first.held_because == ""


def test_a_version_that_is_worse_beyond_noise_is_held_and_the_live_one_stays(trained):
    worse = execute(BLIND)
    assert worse.state == "candidate" and worse.is_held
    assert ModelVersion.objects.live() == trained
    assert worse.comparison["live"] == trained.pk
    assert "worse" in worse.comparison["reasons"]
    against = worse.comparison["against_live"]
    assert against["new"] == pytest.approx(worse.metrics["model"]["ndcg@20"])
    assert against["other"] == pytest.approx(trained.metrics["model"]["ndcg@20"])
    assert against["high"] < 0
    assert f"worse than version {trained.pk}" in worse.held_because
    assert f"{against['other']:.4f}" in worse.held_because
    assert "Held: " in worse.run.log
    assert worse.run.state == TrainingRun.State.SUCCEEDED


def test_a_better_version_goes_live_by_itself(camps):
    blind = execute(BLIND)
    better = execute(SMALL)
    assert ModelVersion.objects.live() == better
    assert better.comparison["live"] == blind.pk
    assert better.comparison["against_live"]["low"] > 0
    assert better.held_because == ""


def test_a_version_of_another_recipe_that_is_as_good_goes_live(trained):
    alike = execute(SMALL | {"alpha": 3.01})
    against = alike.comparison["against_live"]
    assert against["low"] <= 0 <= against["high"]
    assert ModelVersion.objects.live() == alike


def test_the_very_same_recipe_is_not_learned_twice(trained):
    again = execute(SMALL)
    assert again.comparison["same_recipe"] and again.comparison["against_live"] is None
    assert again.run.log.count("live version's recipe") == 0
    assert ModelVersion.objects.live() == again


def test_a_better_version_waits_where_the_run_does_not_promote(camps):
    blind = execute(BLIND)
    better = execute(SMALL, promote=False)
    assert better.state == "candidate" and not better.is_held
    assert ModelVersion.objects.live() == blind


def test_a_held_version_goes_live_when_a_person_says_so(trained):
    worse = execute(BLIND)
    vectors.promote(worse)
    worse.refresh_from_db()
    assert ModelVersion.objects.live() == worse
    assert not worse.is_held and worse.held_because


def test_fixed_seeds_give_the_same_metrics_and_the_same_comparison_twice(trained):
    first, second = execute(BLIND), execute(BLIND)
    assert first.metrics == second.metrics
    assert first.comparison == second.comparison


def test_a_version_that_knows_less_than_half_the_films_is_held(trained, camps):
    _, films = camps
    Rating.objects.filter(movie__in=films[:45]).delete()
    smaller = execute(SMALL)
    assert ModelVersion.objects.live() == trained
    assert "fewer_films" in smaller.comparison["reasons"]
    assert "It knows 15 films, less than half of the 60" in smaller.held_because


def test_a_version_that_knows_less_than_half_the_people_is_held(trained, camps):
    people, _ = camps
    User.objects.filter(pk__in=[person.pk for person in people[:30]]).delete()
    assert "fewer_people" in execute(SMALL).comparison["reasons"]
    assert ModelVersion.objects.live() == trained


def test_settings_of_another_release_hold_the_version_for_a_person(trained):
    trained.parameters["of_old"] = 1.0
    trained.save(update_fields=["parameters"])
    version = execute(SMALL)
    assert version.comparison["reasons"] == ["not_compared"]
    assert ModelVersion.objects.live() == trained


def test_a_version_that_could_not_be_judged_does_not_replace_one_that_was(trained, camps):
    people, _ = camps
    for person in people:  # four each: too few to hold any out
        ids = list(person.ratings.values_list("movie_id", flat=True)[4:])
        Rating.objects.filter(user=person, movie_id__in=ids).delete()
    version = execute(SMALL)
    assert version.metrics == {}
    assert "not_measured" in version.comparison["reasons"]


def test_what_went_live_while_it_trained_is_not_replaced_unseen(camps, monkeypatch):
    first, second = execute(SMALL), execute(SMALL)
    index_and_attach = vectors.index_and_attach

    def roll_back_first(version):
        index_and_attach(version)
        vectors.promote(first)

    monkeypatch.setattr(vectors, "index_and_attach", roll_back_first)
    third = execute(SMALL)
    assert third.comparison["live"] == second.pk
    assert third.comparison["reasons"] == ["live_changed"]
    assert ModelVersion.objects.live() == first


@pytest.mark.parametrize("parameters", [SMALL, BLIND])
def test_shares_of_the_progress_add_up_with_and_without_a_second_fit(trained, parameters):
    fractions = []
    run = runs.create(parameters=parameters)
    pipeline.execute(run, lambda step, fraction, message: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(0.95), "the last step is the last twentieth"


def test_a_worker_holds_a_worse_version(trained):
    with worker():
        run = runs.request(parameters=BLIND)
        wait_until(lambda: TrainingRun.objects.get(pk=run.pk).state not in TrainingRun.ACTIVE)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.SUCCEEDED
    assert run.version.is_held
    assert ModelVersion.objects.live() == trained


def test_the_command_says_that_a_version_is_held_and_ends_with_3(trained):
    output = StringIO()
    with pytest.raises(CommandError, match="is held, and what was live stays live") as error:
        call_command("train", *_as_options(BLIND), "--json", stdout=output)
    assert error.value.returncode == 3
    answer = json.loads(output.getvalue())
    assert answer["state"] == "candidate" and answer["held_because"]
    assert ModelVersion.objects.live() == trained


def test_the_command_that_does_not_promote_ends_well_though_the_version_is_worse(trained):
    output = StringIO()
    call_command("train", *_as_options(BLIND), "--no-promote", stdout=output)
    assert "On the same held-out ratings the recipe of version" in output.getvalue()


def _as_options(parameters):
    return [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]


# The rules alone --------------------------------------------------------------------------------


def version(ndcg: float | None = 0.1, films: int = 100, people: int = 100) -> ModelVersion:
    metrics = {} if ndcg is None else {"model": {"ndcg@20": ndcg}}
    return ModelVersion(pk=7, metrics=metrics, movie_count=films, user_count=people)


def difference(low: float, high: float, people: int = 100) -> Difference:
    return Difference(0.1, 0.1 - (low + high) / 2, low, high, people)


@pytest.mark.parametrize(
    ("against_live", "against_popular", "reasons"),
    [
        (difference(-0.02, -0.01), difference(0.01, 0.02), ["worse"]),
        (difference(-0.02, 0.001), difference(0.01, 0.02), []),
        (difference(0.01, 0.02), difference(-0.02, -0.01), ["below_popular"]),
        (difference(-0.02, -0.01, people=9), None, []),
        (None, None, []),
    ],
)
def test_only_what_chance_does_not_explain_holds_a_version(against_live, against_popular, reasons):
    rival = Rival(version(), None, has_same_recipe=True)
    verdict = gate.judge(version(), rival, against_live, against_popular)
    assert verdict.comparison["reasons"] == reasons
    assert len(verdict.sentences) == len(reasons)


@pytest.mark.parametrize(
    ("new", "reasons"),
    [
        (version(ndcg=0.049), ["fell"]),
        (version(ndcg=0.051), []),
        (version(ndcg=None), ["not_measured"]),
        (version(films=49), ["fewer_films"]),
        (version(people=49), ["fewer_people"]),
        (version(films=50, people=50), []),
    ],
)
def test_what_falls_below_half_of_the_live_versions_is_held(new, reasons):
    """Ratings that turned to noise harm every recipe alike, so no comparison would show it."""
    rival = Rival(version(), None, has_same_recipe=True)
    assert gate.judge(new, rival, None, None).comparison["reasons"] == reasons


def test_the_first_version_is_never_held():
    rival = Rival(None, None, has_same_recipe=False)
    poor = difference(-0.02, -0.01)
    assert gate.judge(version(ndcg=0.001), rival, None, poor).sentences == []


def test_a_difference_is_that_of_the_same_people(trained):
    new, other = np.array([0.5, 0.1, 0.3]), np.array([0.4, 0.0, 0.2])
    measured = Difference.between(new, other)
    assert (measured.new, measured.other) == pytest.approx((0.3, 0.2))
    assert (measured.low, measured.high) == pytest.approx((0.1, 0.1))
    assert Difference.between(np.array([]), np.array([])) is None


def test_what_counts_as_liked_does_not_hang_on_the_recipe(trained):
    """A recipe whose middle is so low that all is liked is asked what every recipe is asked."""
    lenient = execute(SMALL | {"prior": 0.5, "prior_strength": 100.0}, promote=False)
    assert Weighting().prior != 0.5
    assert lenient.metrics["model"]["users"] == trained.metrics["model"]["users"]
    assert lenient.metrics["most_popular"] == trained.metrics["most_popular"]
