"""Features brought down to two dimensions for looking at."""

import numpy as np
from openTSNE import TSNE
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier


def tsne(features: np.ndarray, seed: int, perplexity: float = 30.0) -> np.ndarray:
    """Two-dimensional t-SNE (van der Maaten and Hinton 2008) after a PCA to at most 50 dimensions, float64 (N, 2).

    Exact neighbors, PCA initialization, one thread: the same features give the same picture.

    Parameters
    ----------
    features
        (N, D), at least 10 rows that differ in at least two columns, all finite; else a ValueError. Feature maps
        (N, h, w, C) are flattened.
    seed
        Seed.
    perplexity
        Effective number of neighbors; lowered to a third of the rows where there are few.
    """
    if len(features) < 10:
        raise ValueError(f"{len(features)} rows; t-SNE needs at least 10 to show anything")
    flat = np.asarray(features, np.float64).reshape(len(features), -1)
    if not np.isfinite(flat).all():
        raise ValueError(f"features: {np.sum(~np.isfinite(flat))} values are not finite; t-SNE needs finite ones")
    varied = int((np.ptp(flat, axis=0) > 0).sum())
    if varied < 2:
        raise ValueError(f"features: {varied} of {flat.shape[1]} columns differ between the rows; t-SNE needs 2")
    reduced = PCA(min(50, *flat.shape), random_state=seed).fit_transform(flat)
    map_ = TSNE(
        perplexity=min(perplexity, (len(features) - 1) / 3),
        neighbors="exact",
        initialization="pca",
        n_jobs=1,
        random_state=seed,
        negative_gradient_method="bh",
    )
    return np.asarray(map_.fit(reduced))


def neighbor_agreement(points: np.ndarray, labels, neighbors: int = 15) -> float:
    """Share of points whose nearest neighbors (itself left out) are mostly of its own class, balanced over the classes.

    What an eye tries to judge in a t-SNE, as a number: 1 means that the classes lie apart. Mixed classes give about 0.5
    if there are two and near 0 if there are more, since more than half of the neighbors must agree. Where there are
    few points, all others are neighbors.
    """
    labels = np.asarray(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    own = neighbor_shares(points, labels, neighbors)[np.arange(len(labels)), codes] > 0.5
    return float(np.mean([own[codes == k].mean() for k in range(len(classes))]))


def neighbor_shares(points: np.ndarray, labels, neighbors: int = 15) -> np.ndarray:
    """Share of each class among the nearest neighbors of each point, itself left out, (N, classes).

    As the probabilities of a method they have `neighbor_agreement` as their balanced accuracy, where there are two
    classes and an odd number of neighbors; a bootstrap then gives it an interval.
    """
    labels, neighbors = np.asarray(labels), min(neighbors, len(points) - 1)
    near = KNeighborsClassifier(neighbors).fit(points, labels).kneighbors(return_distance=False)
    return np.column_stack([(labels[near] == label).mean(1) for label in np.unique(labels)])
