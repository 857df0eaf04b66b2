"""`histolib.images.stain` under a shorter name."""

from histolib.images.stain import TooLittleTissue, concentrations, jitter, normalize, obstacle, vectors

__all__ = ["TooLittleTissue", "concentrations", "jitter", "normalize", "obstacle", "vectors"]
