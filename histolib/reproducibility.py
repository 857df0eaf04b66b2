"""One call that makes a run repeatable. The only module that may name a backend."""

import random

import numpy as np

PRECISIONS = ("float32", "bfloat16")  # of training steps


def seed(value: int, deterministic: bool = True) -> None:
    """Seed Python, NumPy, Keras and its backend.

    Parameters
    ----------
    value
        Seed, at least 0. Library code does not rely on these global generators where it can take an explicit one;
        layers' initial weights, dropout and Keras's shuffling do.
    deterministic
        Whether the TensorFlow backend must choose repeatable kernels; they are slower on a GPU.

    Raises
    ------
    ValueError
        If `value` is negative or no integer.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"seed={value!r}: expected an integer of at least 0")
    import keras

    random.seed(value)
    np.random.seed(value)  # noqa: NPY002 - for libraries that draw from the global generator
    keras.utils.set_random_seed(value)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.get_logger().setLevel("ERROR")  # it would warn of retracing again and again
        if deterministic:
            tensorflow.config.experimental.enable_op_determinism()


def backend() -> str:
    """Name of the Keras backend in use: ``tensorflow``, ``jax`` or ``torch``."""
    import keras

    return keras.backend.backend()


def accelerators() -> list[str]:
    """Names of the GPUs or TPUs that the backend sees; empty on a CPU."""
    name = backend()
    if name == "tensorflow":
        import tensorflow

        found = tensorflow.config.list_physical_devices("GPU")
        return [tensorflow.config.experimental.get_device_details(d).get("device_name", d.name) for d in found]
    if name == "jax":
        import jax

        return [d.device_kind for d in jax.devices() if d.platform != "cpu"]
    import torch

    return [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
