"""Random quarter turns and mirroring."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("histolib")
class Dihedral(keras.layers.Layer):
    """Each image as a random one of its eight versions: four quarter turns, plain and mirrored.

    Bayramoglu, Kannala and Heikkilä 2016 (sections II and III) enlarge the training set eightfold and draw batches
    from it at random. In distribution that is the same as drawing images and one version of each, but for the chance of
    one image twice in a batch; it needs no memory, and `histolib.images.squares.eightfold` writes the set out. An epoch
    over the images themselves is an eighth of one over the enlarged set. Active in training only.

    Parameters
    ----------
    seed
        Seed of the draws.

    Call arguments: square images (N, S, S, C), any numeric dtype. Returns the same shape and dtype.

    Raises
    ------
    ValueError
        If the images are not square.
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        if len(input_shape) != 4 or input_shape[1] != input_shape[2]:
            raise ValueError(f"images of shape {tuple(input_shape)}: expected (N, S, S, C), as high as wide")

    def call(self, images, training=False):
        if not training:
            return images
        # Three coins: the eight combinations are the eight elements of the group.
        coins = keras.random.uniform((3, ops.shape(images)[0], 1, 1, 1), seed=self.generator) < 0.5
        images = ops.where(coins[0], ops.transpose(images, (0, 2, 1, 3)), images)
        images = ops.where(coins[1], ops.flip(images, axis=1), images)
        return ops.where(coins[2], ops.flip(images, axis=2), images)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"seed": self.seed}
