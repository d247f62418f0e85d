"""The one option that all tests share: `--live` runs the contract tests against the real service."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--live",
        action="store_true",
        help="run the contract tests against the service that MINIMAX_API_KEY belongs to (it costs money)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--live") and not os.environ.get("MINIMAX_API_KEY"):
        raise pytest.UsageError("--live needs MINIMAX_API_KEY")
