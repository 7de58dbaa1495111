"""The report of a back-test: said once, and shown as text and as a page."""
