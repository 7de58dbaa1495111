import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def examples():
    """The module that reads the tables; test folders are not packages."""
    path = Path(__file__).with_name("examples.py")
    spec = importlib.util.spec_from_file_location("household_factor_examples", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
