import pytest

from minimaxfs.core.errors import ConfigError
from minimaxfs.sources import OPTIONS, profile_table


def test_there_are_at_most_seventeen_options() -> None:
    """An option more is a question more for everyone. Two are a service's: no prompt gives it words."""
    assert len(OPTIONS) <= 17


def test_an_unknown_key_names_the_nearest() -> None:
    """A misspelt key is refused, with the key that it was meant to be."""
    with pytest.raises(ConfigError, match="'cach_size'") as refused:
        profile_table({"profile": {"default": {"cach_size": "1G"}}}, "default", "config.toml")
    assert "'cache_size'" in refused.value.advice


def test_a_key_outside_a_profile_is_refused() -> None:
    """Options belong below [profile.NAME]; elsewhere they would be ignored in silence."""
    with pytest.raises(ConfigError, match="'cache_size'"):
        profile_table({"cache_size": "1G"}, "default", "config.toml")


@pytest.mark.parametrize("document", [{"profile": 1}, {"profile": {"default": "x"}}])
def test_a_profile_must_be_a_table(document: dict[str, object]) -> None:
    """Another shape than [profile.NAME] is refused."""
    with pytest.raises(ConfigError, match="profile"):
        profile_table(document, "default", "config.toml")


def test_a_profile_that_the_file_lacks_is_refused() -> None:
    """A misspelt profile must not mount another account; without a file, any name is right."""
    document: dict[str, object] = {"profile": {"work": {}, "home": {}}}
    with pytest.raises(ConfigError, match="'wrk'") as refused:
        profile_table(document, "wrk", "config.toml")
    assert "'work'" in refused.value.advice
    assert profile_table(document, "default", "config.toml") == {}
    assert profile_table({}, "wrk", "config.toml") == {}
