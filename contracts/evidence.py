"""The evidence store's port: pictures and clips by content address."""

from typing import Protocol


class EvidenceStore(Protocol):
    """Keeps bytes under the hash of their content; the same bytes are kept once."""

    def put(self, content: bytes, *, suffix: str) -> str:
        """Keep ``content`` durably and return its address, ``sha256-<hex>.<suffix>``.

        Args:
            content: The whole file.
            suffix: ``jpg``, ``mp4`` or ``json``.

        Raises:
            StorageFull: No space left (or the quota is reached); nothing was kept.
        """
        ...

    def get(self, ref: str) -> bytes:
        """Return the bytes, verified against their address.

        Raises:
            EvidenceMissing: Not there, not a valid address, or altered.
        """
        ...
