"""A small synthetic council."""

import datetime

import pytest

from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.synthesis import Recipe, draw

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """A council large enough for shares to be recognised."""
    return Recipe(households=6000, seed=7, today=TODAY)


@pytest.fixture(scope="session")
def population(recipe: Recipe) -> Population:
    """Bolton, drawn from approximate shares."""
    return draw(region(1)[0], recipe)
