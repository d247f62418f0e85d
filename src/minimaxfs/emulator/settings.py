"""How the emulated store behaves where the real one is known to vary, or where nobody knows."""

from dataclasses import dataclass
from enum import Enum


class Urls(Enum):
    """What a retrieve answers as `download_url`. All three have been seen."""

    SIGNED = "signed"
    ABSENT = "absent"
    EMPTY = "empty"


class Unlisted(Enum):
    """What `list` answers for a purpose that it is not documented for; nobody recorded it."""

    REFUSED = "refused"
    EMPTY = "empty"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults are the awkward ones that the documentation allows.

    `keys`: those accepted; empty accepts any key, but not none. `url_life`: seconds.
    `uploaded_urls`, `generated_urls`: what retrieve answers for each kind. `unlisted`: see `Unlisted`.
    `ranges`, `content_ranges`: whether the storage and `retrieve_content` honour Range.
    `content_length`: whether `retrieve_content` announces a length, or sends chunks.
    `gzip_text`: text goes out compressed and without a length unless the request asks for identity.
    `redirects`: the storage redirects to another host name. `prefix`: a gateway's, before `/v1`.
    `true_sizes`: generated files tell their size, instead of 0.
    """

    keys: frozenset[str] = frozenset()
    url_life: float = 3600.0
    uploaded_urls: Urls = Urls.SIGNED
    generated_urls: Urls = Urls.SIGNED
    unlisted: Unlisted = Unlisted.REFUSED
    ranges: bool = True
    content_ranges: bool = True
    content_length: bool = True
    gzip_text: bool = True
    redirects: bool = False
    prefix: str = ""
    true_sizes: bool = False


DEFAULTS = Settings()
