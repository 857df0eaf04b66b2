"""Local response normalization inside the model graph."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("histolib")
class LocalResponseNormalization(keras.layers.Layer):
    r"""Each activation divided by what its neighboring channels answer at the same place.

    Krizhevsky, Sutskever and Hinton 2012, section 3.3:

    .. math:: b_i = a_i \Big/ \Big(k + \alpha \sum_{j = \max(0, i - n/2)}^{\min(C - 1, i + n/2)} a_j^2\Big)^\beta

    with n/2 rounded down. The defaults are theirs. Caffe's layer, with which Levi and Hassner 2015 trained, divides
    alpha by the number of channels and has k = 1: ``LocalResponseNormalization(k=1, alpha=1e-4 / 5)``.

    Parameters
    ----------
    size
        Neighboring channels, itself included (n); odd.
    k, alpha, beta
        As in the formula; k above 0.

    Call arguments: activations (N, ..., C), float. Returns the same shape and type.

    Raises
    ------
    ValueError
        If `size` is even or below 1, `k` is not above 0, or `alpha` is negative.
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs):
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0 or k <= 0 or alpha < 0:
            raise ValueError(f"size={size}, k={k}, alpha={alpha}: expected an odd size, k above 0, alpha of at least 0")
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta

    def call(self, activations):
        channels, half = activations.shape[-1], self.size // 2
        beyond = [(0, 0)] * (len(activations.shape) - 1) + [(half, half)]
        squares = ops.pad(ops.square(activations), beyond)
        total = sum(squares[..., j : j + channels] for j in range(self.size))
        return activations * ops.power(self.k + self.alpha * total, -self.beta)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("size", "k", "alpha", "beta")
        return super().get_config() | {name: getattr(self, name) for name in names}
