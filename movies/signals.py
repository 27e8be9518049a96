"""What other rooms may want to hear of."""

from django.dispatch import Signal

film_told = Signal()
"""Sent with `movie` once something about the film, or the film itself, is committed by a person."""
