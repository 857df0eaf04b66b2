"""Random changes to training images, as layers inside the model graph."""

from histolib.training.augmentation.affine import FILLS, RandomAffine, resample, transforms
from histolib.training.augmentation.dihedral import Dihedral
from histolib.training.augmentation.looking import versions

__all__ = ["FILLS", "Dihedral", "RandomAffine", "resample", "transforms", "versions"]
