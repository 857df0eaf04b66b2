import numpy as np
import pytest

from histolib.training import protocols


def test_by_patient_nothing_leaks(twin):
    parts = protocols.prepare(twin.images(), twin.table, "patient", "train")
    assert parts.leaked == 0 and parts.blended == 0
    assert not set(parts.train.patient) & set(parts.validation.patient)
    counts = parts.counts(twin.classes)
    assert counts["training, after SMOTE"].nunique() == 1
    assert (counts["training, after SMOTE"] >= counts["training, before SMOTE"]).all()
    sizes = parts.sizes()
    assert sizes["patients"].sum() == 10 and sizes["real patches"].sum() == len(twin.table)
    assert sizes.loc["training", "synthetic patches"] == counts.loc["IDC positive"].diff().iloc[1]
    assert len(parts.train_images) == len(parts.train) and len(parts.test_images) == len(parts.test)


def test_images_belong_to_their_rows(twin):
    images = twin.images()
    parts = protocols.prepare(images, twin.table, "patient", "none")
    where = {name: k for k, name in enumerate(twin.table["image_id"])}
    for pixels, rows in (
        (parts.train_images, parts.train),
        (parts.validation_images, parts.validation),
        (parts.test_images, parts.test),
    ):
        assert np.array_equal(pixels, images[[where[name] for name in rows["image_id"]]])
    assert sum(map(len, (parts.train, parts.validation, parts.test))) == len(images)


def test_smote_before_the_split_leaks_tissue(twin):
    parts = protocols.prepare(twin.images(), twin.table, "patch", "before")
    assert parts.blended > 0 and parts.leaked > 0
    assert parts.test["label"].mean() == pytest.approx(0.5, abs=0.02)
    # Two thirds of the patches are trained on: a blend without a parent there is rare.
    assert 0.8 < parts.related < 1
    names = parts.test.loc[parts.test["synthetic"], "parents"].str.split(" ", expand=True)
    assert names.isin(set(twin.table["image_id"])).all(axis=None)
    by_patient = protocols.prepare(twin.images(), twin.table, "patient", "before")
    assert by_patient.leaked > 0  # through second parents, although no patient's rows are on both sides
    assert not set(by_patient.train.patient) & set(by_patient.test.patient)


def test_unknown_choice(twin):
    with pytest.raises(ValueError, match="oversample='after'"):
        protocols.prepare(twin.images(), twin.table, "patient", "after")
