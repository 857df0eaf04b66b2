"""The look that all figures share; colors that color-blind readers can tell apart (Okabe and Ito)."""

import matplotlib.pyplot as plt
import seaborn as sns

COLORS = sns.color_palette("colorblind")
MARKERS = "osD^vP*X"


def style() -> None:
    """Defaults of every figure."""
    sns.set_theme(context="notebook", style="whitegrid", palette=COLORS)
    plt.rcParams.update(
        {"figure.dpi": 110, "figure.constrained_layout.use": True, "savefig.dpi": 110, "axes.titlesize": "medium"}
    )
