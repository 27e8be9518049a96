"""Ratings into vectors, vectors into recommendations."""

import os

# OpenMP's idle threads would spin and take the cores from whoever works; read when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
