"""Where the API is, and what is particular to each place: prefix, extra query, price. Pure.

Hosts and prices are those of the platforms' documentation; keys belong to one region.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

from minimaxfs.core.errors import ConfigError

_HOST_ADVICE = "Give the API host as https://HOST, for example https://api.minimax.io."


class Operation(StrEnum):
    """What is asked of the store. All but `download`, a signed URL's GET, go to the API with the key."""

    upload = "upload"
    list_files = "list"
    retrieve = "retrieve"
    retrieve_content = "retrieve_content"
    delete = "delete"
    download = "download"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host that speaks the files API.

    `origin` is what `checked_origin` returns, `prefix` the path of the operations below it.
    `query` holds what an operation's query must hold besides its own, `prices` dollars a request.
    """

    origin: str
    prefix: str = "/v1/files"
    query: Mapping[Operation, Mapping[str, str]] = field(default_factory=dict)
    prices: Mapping[Operation, float] = field(default_factory=dict)

    def url(self, operation: Operation, query: Mapping[str, str]) -> str:
        """The whole URL of `operation`, the extra query first."""
        pairs = {**self.query.get(operation, {}), **query}
        address = f"{self.origin}{self.prefix}/{operation.value}"
        return f"{address}?{urlencode(pairs, quote_via=quote)}" if pairs else address

    def price(self, operation: Operation) -> float:
        """Dollars for one request of `operation`, 0 where none is documented."""
        return self.prices.get(operation, 0.0)

    def at(self, origin: str) -> "Endpoint":
        """The same API at another host. Raises ConfigError as `checked_origin` does."""
        return replace(self, origin=checked_origin(origin))

    @property
    def local(self) -> bool:
        """Whether it is on this machine, as an emulator is."""
        return is_loopback(urlsplit(self.origin).hostname or "")


PRESETS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "global": Endpoint("https://api.minimax.io"),
        "cn": Endpoint("https://api.minimax.cn"),
        "cometapi": Endpoint(
            "https://api.cometapi.com",
            query={Operation.retrieve: {"model": "minimax-files-retrieve"}},
            prices={Operation.retrieve: 0.004},
        ),
    }
)


def checked_origin(text: str) -> str:
    """`text` as an origin without a slash at its end: https, or http on loopback.

    A gateway's path stays (`https://gateway.example/minimax`); a `/v1` at the end, which belongs to
    the prefix, is taken off. Raises ConfigError for all else. The message never shows credentials.
    """
    address = text.strip()
    if not (address.isascii() and address.isprintable()) or " " in address:
        raise ConfigError("the API host holds characters that no address has", _HOST_ADVICE)
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("the API host is not an address", _HOST_ADVICE) from error
    if "@" in parts.netloc:
        raise ConfigError("the API host holds a user name or password", _HOST_ADVICE)
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ConfigError(f"the API host {_shown(address)} does not begin with https://HOST", _HOST_ADVICE)
    if parts.query or parts.fragment:
        raise ConfigError(f"the API host {_shown(address)} has a query or fragment", _HOST_ADVICE)
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(f"the API host {_shown(address)} would get the key unencrypted", _HOST_ADVICE)
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def checked_key(text: str) -> str:
    """`text` as a key that fits into a header. Raises ConfigError, whose message does not show it."""
    key = text.strip()
    if not key or not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigError(
            "the API key is empty or holds characters that no key has",
            "Copy the key again from the platform's page of keys.",
        )
    return key


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this machine by definition."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(address: str) -> str:
    return address.partition("?")[0].partition("#")[0]
