"""Sizes: images, crops, descriptors, models."""

from __future__ import annotations

from math import prod

from studybook.published.intervals import worst_case
from studybook.published.report import Paper, Row, number

NOT_CONSTITUENTS = ("std", "fusion")  # rows of Table 1 that are no single kind of descriptor


def constituents(paper: Paper) -> list[str]:
    """Return the rows of Table 1 that hold one kind of descriptor each."""
    return [method for method in paper.methods(1) if method not in NOT_CONSTITUENTS]


def checks(paper: Paper) -> list[Row]:
    """Return the checks of the sizes."""
    return [*_images(paper), *_counts(paper), *_pretraining(paper)]


def _exact(paper: Paper, *ids: str) -> list[float]:
    return [float(paper.text(id)) for id in ids]


def _images(paper: Paper) -> list[Row]:
    place = paper.place("small_width")
    rows = [
        number(
            f"{side} of an image at half size",
            f"{paper.place('images')}; {place}",
            paper.text(f"small_{side}"),
            worst_case(lambda full, scale: full * scale, *_exact(paper, f"image_{side}", "half_scale")),
        )
        for side in ("width", "height")
    ]
    rows += [
        number(
            f"the {size} crops of both scales show as much tissue",
            place,
            paper.text(f"half_crop_{size}"),
            worst_case(lambda full, scale: full * scale, *_exact(paper, f"full_crop_{size}", "half_scale")),
        )
        for size in ("small", "large")
    ]
    blocks = _exact(paper, *(f"vgg_block{k}" for k in (2, 3, 4, 5)))
    rows.append(
        number(
            "length of the descriptors of VGG-16",
            f"{paper.place('descriptor_short')}; Methods, Feature extraction",
            paper.text("descriptor_short"),
            worst_case(lambda *channels: sum(channels), *blocks),
        )
    )
    share = prod(_exact(paper, "images")) / prod(_exact(paper, "classes"))
    rows.append(
        number(
            "carcinomas if the four classes are balanced",
            f"{paper.place('carcinomas')}; {paper.place('images')}",
            paper.text("carcinomas"),
            worst_case(lambda one: 2 * one, share),
        )
    )
    return rows


def _counts(paper: Paper) -> list[Row]:
    augmentations, sizes, encoders = _exact(paper, "color_augmentations", "descriptor_crop_sizes", "encoders")
    folds, seeds, combinations = _exact(paper, "folds", "seeds", "model_scales_and_crops")
    place, trained = paper.place("descriptors_per_image"), paper.place("models")
    rows = [
        number(
            "descriptors of an image: augmentations, crop sizes, encoders",
            place,
            paper.text("descriptors_per_image"),
            worst_case(lambda *factors: prod(factors), augmentations, sizes, encoders),
        ),
        number(
            "models: folds, seeds, scales and crops, encoders",
            trained,
            paper.text("models"),
            worst_case(lambda *factors: prod(factors), folds, seeds, combinations, encoders),
        ),
    ]
    shown = len(constituents(paper)) * folds * seeds
    rows.append(
        Row(
            "models behind the rows of Table 1",
            f"{trained}; Table 1",
            paper.text("models"),
            f"{shown:.0f}",
            float(paper.text("models")) == shown,
            "Table 1 has crops of one scale only, so half of the 600 models are in no result; the published code "
            f"trains {paper.text('models_run')}.",
        )
    )
    needed = combinations * encoders * augmentations
    rows.append(
        Row(
            "descriptors of an image that all models need",
            f"{place}; {trained}",
            paper.text("descriptors_per_image"),
            f"{needed:.0f}",
            float(paper.text("descriptors_per_image")) == needed,
            "A test image is said to be answered by all models, but has descriptors for the crops of one scale only.",
        )
    )
    rows.append(
        Row(
            "by how much augmentation enlarges the data of a model",
            paper.place("enlargement"),
            paper.text("enlargement"),
            f"{augmentations:.0f}",
            float(paper.text("enlargement")) == augmentations,
            "Each model sees one encoder and one crop size: 50 rows per image. The other factors are other models.",
        )
    )
    return rows


def _pretraining(paper: Paper) -> list[Row]:
    said, known = paper.text("imagenet_classes"), paper.text("pretraining_classes")
    return [
        Row(
            "classes on which the encoders were trained",
            paper.place("imagenet_classes"),
            said,
            known,
            said == known,
            "The whole collection is described; networks such as those of Keras have learned a part of it with 1,000 "
            "classes. The second number is from outside the paper.",
        )
    ]
