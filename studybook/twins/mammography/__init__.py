"""Twins of the mammography sets: films drawn as a projection of the breast, with a mass per lesion.

All films have one scale, 200 micrometers per pixel as in mini-MIAS, so that a mass fills about as much of the window of
300 pixels as there. The drawing shares no code with the patches that the shipped weights were pre-trained on
(`pretraining.films`): tissue is power-law noise with strands that run to the nipple, a mass is the shadow
of a body, not a plateau with a soft edge, and its spicules are single strands.
"""

VERSION = 3  # 3: the tables of traits; films as of version 2
