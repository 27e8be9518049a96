"""How the site carries 100 thousand to 32 million ratings: a generator, stages, baselines."""
