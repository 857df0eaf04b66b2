"""Breast images: data sets, descriptors, networks, training, predictions, metrics, figures.

Modules are imported one by one (``from histolib import datasets``); importing the package itself loads nothing, so that
the parts which do not need Keras never start it.
"""

__version__ = "0.1.0"
