"""The HTML pages of filing. Fixed paths stand first: they would else be taken for case numbers."""

from services.case_intake.pages import cases, changes, drafts, filing, imports

ROUTES = (imports.routes, drafts.routes, filing.routes, cases.routes, changes.routes)
