"""Hand-crafted descriptors with classifiers as methods: predictions and times, as any other method's."""

from histolib.descriptors.comparison.comparing import METHOD, compare, compare_parts
from histolib.descriptors.comparison.describing import Described, describe

__all__ = ["METHOD", "Described", "compare", "compare_parts", "describe"]
