"""Which pipeline executes a training run."""

from recommender.models import ModelVersion, Space, TrainingRun
from recommender.training import film_pipeline, pipeline, runs


def execute(run: TrainingRun, listener: runs.Listener | None = None) -> ModelVersion:
    """Train what the run asks for and return the version; raises what its pipeline does."""
    if Space(run.space).knows_people:
        return pipeline.execute(run, listener)
    return film_pipeline.execute(run, listener)
