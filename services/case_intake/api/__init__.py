"""The JSON routes of filing and import. Imports stand first: their paths would else be taken for case numbers."""

from services.case_intake.api import cases, imports, search

ROUTES = (imports.routes, search.routes, cases.routes)
