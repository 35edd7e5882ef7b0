"""The pages: my work, the stage board, and what stands on a case's page about its stages."""

from services.stage_tracking.pages import board, case, looks, work
from services.stage_tracking.pages.common import routes

__all__ = ["board", "case", "looks", "routes", "work"]
