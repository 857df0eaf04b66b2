"""Hand-crafted descriptors of images.

Each is one function, uint8 (N, H, W, 3) to float32 (N, columns); `REGISTRY` has them by name with dimension and source,
`compute` runs any of them over several processes. Their settings suit patches of 50 x 50 pixels; of large images, such
as those of BreaKHis (700 x 460), a version of half the size describes the same tissue in a quarter of the time.
"""

from histolib.descriptors.registry import REGISTRY, Descriptor, find
from histolib.descriptors.running import compute
from histolib.descriptors.words import BagOfWords

__all__ = ["REGISTRY", "BagOfWords", "Descriptor", "compute", "find"]
