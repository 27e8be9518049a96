"""The site's settings, for a site that has the benchmark's own address besides."""

from recommender.config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.scale.urls"
