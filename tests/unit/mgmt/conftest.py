"""A fresh management service for every test."""

import pytest

from daos_control.testing.management import Bench


@pytest.fixture
def bench() -> Bench:
    """Everything fresh."""
    return Bench()
