"""How deep a network is."""

import keras


def convolutions(model: keras.Model) -> int:
    """Convolutions on the longest way from input to output; models in it are not looked into."""
    lengths = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            lengths[id(layer.output)] = 0
            continue
        sources = layer.input if isinstance(layer.input, list) else [layer.input]
        longest = max(lengths[id(source)] for source in sources)
        lengths[id(layer.output)] = longest + isinstance(layer, keras.layers.Conv2D)
    return lengths[id(model.output)]
