"""The screening framework: a saved model that knows its classes, one call to ask it, a command and a page.

The mammography paper's section 2.2.5 keeps weights and structure in two files and shows a predicted label in a
window. Here a model is one ``.keras`` file with a card beside it, and the answer comes with probabilities and a heat
map. For study, not for diagnosis.
"""

from studybook.screening.cards import NOTICE, Card, newest
from studybook.screening.prediction import Prediction, predict
from studybook.screening.saving import Screener, describe, load, save
from studybook.screening.uploads import Film, read

__all__ = ["NOTICE", "Card", "Film", "Prediction", "Screener", "describe", "load", "newest", "predict", "read", "save"]
