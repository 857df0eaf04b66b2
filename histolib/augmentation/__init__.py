"""Random changes to training images, as layers inside the model graph."""

from histolib.augmentation.affine import FILLS, RandomAffine, resample, transforms
from histolib.augmentation.dihedral import Dihedral
from histolib.augmentation.looking import versions

__all__ = ["FILLS", "Dihedral", "RandomAffine", "resample", "transforms", "versions"]
