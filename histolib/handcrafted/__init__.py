"""Hand-crafted descriptors with classifiers as methods: predictions and times, as any other method's."""

from histolib.handcrafted.comparing import METHOD, compare, compare_parts
from histolib.handcrafted.describing import Described, describe

__all__ = ["METHOD", "Described", "compare", "compare_parts", "describe"]
