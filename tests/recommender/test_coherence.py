import numpy as np

from recommender.catalogue import Credited, Films
from recommender.embedders import FilmEmbedding
from recommender.interactions import Ratings
from recommender.training import coherence
from recommender.training.coherence import Question
from recommender.training.splits import leave_last_out


def ratings(*rows: tuple[int, int, int, int]) -> Ratings:
    return Ratings(*np.array(rows, dtype=np.int64).T)


def on_a_line(movie_ids: list[int]) -> FilmEmbedding:
    """Films a degree apart from each other in the order of the list."""
    angles = np.radians(np.arange(len(movie_ids)))
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    order = np.argsort(movie_ids)
    return FilmEmbedding(np.array(movie_ids)[order], places[order], "a line")


def test_the_last_rating_of_everybody_with_two_is_left_out():
    split = leave_last_out(ratings((1, 10, 8, 5), (1, 11, 8, 9), (2, 10, 8, 1)))
    assert split.held_out.movie_ids.tolist() == [11]
    assert len(split.training) == 2


def test_recall_is_the_share_of_liked_films_among_whose_nearest_the_last_one_is():
    films = list(range(100))
    others = [(2, movie, 8, movie) for movie in films]
    # Person 1 liked the films 0 and 60, and then rated film 5: near to one, far from the other.
    split = leave_last_out(ratings((1, 0, 9, 1), (1, 60, 9, 2), (1, 5, 2, 3), *others))
    question = Question.build(split)
    recall = question.recall(coherence.by_cosine(on_a_line(films), question.candidates))
    assert recall[0] == 0.5


def test_what_somebody_had_rated_takes_no_place_in_a_list():
    films = list(range(100))
    others = [(2, movie, 8, movie) for movie in films]
    rated = [(1, movie, 9 if movie == 0 else 1, movie) for movie in range(30)]
    split = leave_last_out(ratings(*rated, (1, 45, 9, 99), *others))
    question = Question.build(split)
    assert question.seeds[0].tolist() == [0]
    recall = question.recall(coherence.by_cosine(on_a_line(films), question.candidates))
    assert recall[0] == 1


def test_a_film_without_a_place_is_a_miss_and_a_tie_counts_against():
    others = [(2, movie, 8, movie) for movie in range(100)]
    split = leave_last_out(ratings((1, 0, 9, 1), (1, 5, 9, 2), *others))
    question = Question.build(split)
    without = on_a_line([movie for movie in range(100) if movie != 5])
    assert question.recall(coherence.by_cosine(without, question.candidates))[0] == 0
    alike = FilmEmbedding(np.arange(100), np.ones((100, 1), dtype=np.float32), "nothing")
    assert question.recall(coherence.by_cosine(alike, question.candidates))[0] == 0


def test_chance_holds_what_its_share_of_films_says():
    others = [(2, movie, 8, movie) for movie in range(100)]
    question = Question.build(leave_last_out(ratings((1, 0, 9, 1), (1, 5, 9, 2), *others)))
    # Person 2's own last film is one that nobody else had rated.
    assert question.at_random() == np.mean([20 / 98, 0])


def test_coherence_sees_genres_and_people_in_common():
    n = 90
    films = Films(
        movie_ids=np.arange(n),
        titles=[""] * n,
        years=[None] * n,
        genres=[("Drama",) if film < n // 2 else ("Horror",) for film in range(n)],
        overviews=[""] * n,
        credits=[(Credited(film // 45, "", "cast"),) for film in range(n)],
        tags=[()] * n,
    )
    halves = np.array([[1.0, 0.0] if film < n // 2 else [0.0, 1.0] for film in range(n)])
    found = coherence.coherence(FilmEmbedding(np.arange(n), halves.astype("f4"), ""), films)
    assert found.genres == found.people == 1
    assert 0.3 < found.genres_at_random < 0.7 and 0.3 < found.people_at_random < 0.7
