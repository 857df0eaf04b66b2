"""Studies of chapters that compare many settings; see `histolib.units` for what such a module holds."""
