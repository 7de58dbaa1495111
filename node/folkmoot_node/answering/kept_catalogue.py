"""The catalogue as a file: made where plugins run, and published where none may.

The service that visits the coordinator may make no namespaces, so that it cannot confine a plugin.
The one that scores can, and leaves this file.
"""

from __future__ import annotations

from folkmoot.catalogue import MAXIMUM_CATALOGUE, Catalogue
from folkmoot.catalogue_codec import decode_catalogue
from folkmoot_node.answering.catalogue import serialised_here
from folkmoot_node.home import NodeHome
from folkmoot_operator.private_files import write_private
from folkmoot_operator.unusable_files import unusable

FILE = "catalogue.bin"
"""In the node's home: SHA-256 of the signed release policy, 32 bytes, and the catalogue."""
_DIGEST_BYTES = 32


def keep_catalogue(home: NodeHome) -> bool:
    """Makes the catalogue with the plugins of this process, and writes the file.

    Returns:
        Whether there is one: the policies may not be signed, or not be joined to sources, yet.

    Raises:
        Problem: If nobody has signed the release policy.
    """
    made = serialised_here(home)
    if made:
        content = home.release_policy().digest + made
        write_private(home.config.home / FILE, content, replace=True)
    return bool(made)


def kept_catalogue(home: NodeHome) -> Catalogue | None:
    """The catalogue of the file.

    Returns:
        None if there is none yet that was made of the release policy as it is signed now.

    Raises:
        ContractError: If the file holds no catalogue.
        UnusableFile: If the file cannot be used now.
    """
    path = home.config.home / FILE
    try:
        with path.open("rb") as file:
            digest = file.read(_DIGEST_BYTES)
            made = file.read(MAXIMUM_CATALOGUE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(error, path, "the catalogue") from None
    return decode_catalogue(made) if digest == home.release_policy().digest else None
