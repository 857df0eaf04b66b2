"""`histolib.images.stain` under a shorter name."""

from histolib.images.stain import TooLittleTissue, attempt, concentrations, jitter, normalize, vectors

__all__ = ["TooLittleTissue", "attempt", "concentrations", "jitter", "normalize", "vectors"]
