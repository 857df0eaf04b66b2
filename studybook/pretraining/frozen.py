"""A network that learned elsewhere and is left as it is."""

from functools import lru_cache


@lru_cache(maxsize=4)
def encoder(
    size: int, side: int | None = None, name: str = "efficientnet_lite0", weights: str = "imagenet", width: float = 1.0
):
    """The means of the last four blocks' last maps, for square images of `size` pixels, rescaled to `side` if given."""
    from histolib import models
    from histolib.models import features

    backbone = models.backbone(name, width, weights, (side or size, side or size, 3))
    return features.extractor(backbone, (size, size, 3), "blocks", side)
