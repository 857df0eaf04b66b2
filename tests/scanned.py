"""What tests ask of the scan of a data set's folder."""

from histolib.datasets.locating import Notes


def left_out(source, folder):
    """Return what `source` leaves out of `folder` beside damaged files: reason and number."""
    notes = Notes(skip=True)
    source.scan(folder, notes)
    return dict(notes.left_out)
