"""Leases on Redis: who may decode or track a camera now."""

from typing import Final

from api.transport.connection import RedisClient, translate_errors

_ACQUIRE: Final = """
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('HGET', KEYS[1], 'token'))
end
if holder then return false end
local token = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return token
"""

_RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisLeases:
    """Implements ``contracts.cameras.Leases``.

    Renew at least every ``lease_s / 3``; a holder that dies is replaced ``lease_s`` later.

    Args:
        client: A redis-py client whose answers are bytes.
        holder: Name of this process, unique among the living.
        lease_s: Life of a lease that is not renewed, in seconds.
    """

    def __init__(self, client: RedisClient, *, holder: str, lease_s: float) -> None:
        self._holder = holder
        self._lease_ms = int(lease_s * 1000)
        self._acquire = client.register_script(_ACQUIRE)
        self._release = client.register_script(_RELEASE)

    def acquire(self, name: str) -> int | None:
        """Take or renew; the fencing token, or None if somebody else holds it."""
        with translate_errors(f"taking the lease {name}"):
            token = self._acquire(
                keys=[f"vigil:lease:{{{name}}}", f"vigil:lease:{{{name}}}:token"],
                args=[self._holder, self._lease_ms],
            )
        return None if token is None else int(token)

    def release(self, name: str) -> None:
        """Give back at once what this process holds."""
        with translate_errors(f"releasing the lease {name}"):
            self._release(keys=[f"vigil:lease:{{{name}}}"], args=[self._holder])
