"""The pages: my work, the stage board, and what stands on a case's page about its stages."""

from services.stage_tracking.pages import board, case, work
from services.stage_tracking.pages.common import routes

__all__ = ["board", "case", "routes", "work"]
