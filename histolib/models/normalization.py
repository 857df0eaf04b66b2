"""Global contrast normalization inside the model graph."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("histolib")
class GlobalContrast(keras.layers.Layer):
    """Global contrast normalization: each image less its own mean.

    Chougrad, Zouaki and Alheyane 2018, section 2.2.1, step 2.

    Parameters
    ----------
    scale
        Divide by the image's standard deviation too, as global contrast normalization is usually defined (Goodfellow,
        Bengio and Courville, Deep Learning, section 12.2.1.1).
    epsilon
        Smallest divisor, so that an image of one value gives zeros.

    Call arguments: images (N, H, W, C), any numeric dtype. Returns the layer's compute dtype, same shape.
    """

    def __init__(self, scale: bool = False, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.epsilon = scale, epsilon

    def call(self, images):
        images = ops.cast(images, self.compute_dtype)
        images = images - ops.mean(images, axis=(1, 2, 3), keepdims=True)
        if not self.scale:
            return images
        deviation = ops.sqrt(ops.mean(ops.square(images), axis=(1, 2, 3), keepdims=True))
        return images / ops.maximum(deviation, self.epsilon)

    def get_config(self):
        return super().get_config() | {"scale": self.scale, "epsilon": self.epsilon}
