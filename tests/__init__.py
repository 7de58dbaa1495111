"""A package by name: `govuk-frontend-jinja` installs one called `tests` too, which would win."""
