"""Square images: cut from the middle of an image, and turned and mirrored in all eight ways."""

import numpy as np


def center(image: np.ndarray) -> np.ndarray:
    """The largest square in the middle of an image (H, W, ...), a view (Bayramoglu et al. 2016, section III).

    Of an odd number of pixels too many, one more is cut off at the lower or right end.
    """
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def eightfold(images: np.ndarray) -> np.ndarray:
    """Every image turned by 0 to 3 quarter turns, plain and mirrored (Bayramoglu et al. 2016, sections II and III).

    Training on batches that are drawn from the result is, in distribution, training on the images themselves with a
    random one of the eight versions in each place, which `training.augmentation.Dihedral` does without the memory. Of
    images (N, S, S, C), else a ValueError, come (8 N, S, S, C), the versions of an image together, itself first:
    ``np.repeat(labels, 8)`` are their labels.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] != images.shape[2]:
        raise ValueError(f"images of shape {images.shape}: expected (N, S, S, C); a turn would change others' shape")
    turned = [np.rot90(images, turns, axes=(1, 2)) for turns in range(4)]
    versions = np.stack([*turned, *(version[:, :, ::-1] for version in turned)], axis=1)
    return versions.reshape(-1, *images.shape[1:])
