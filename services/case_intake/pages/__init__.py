"""The HTML pages of filing."""

ROUTES: tuple[()] = ()
