"""The HTML pages of filing. Fixed paths stand first: they would else be taken for case numbers."""

from services.case_intake.pages import cases, changes, drafts, filing, imports, search

ROUTES = (search.routes, imports.routes, drafts.routes, filing.routes, cases.routes, changes.routes)
