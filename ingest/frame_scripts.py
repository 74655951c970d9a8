"""What Redis does in one go for the frame queue; see ``ingest/frame_queue.py`` for the keys."""

from typing import Final

PUT: Final = """
local writer, offered = ARGV[1], tonumber(ARGV[2])
local has_frame = ARGV[9] ~= ''
local function known(what, base)
  return tonumber(redis.call('HGET', KEYS[3], writer .. what) or base)
end
local counted = known(':offered', ARGV[3])
local dropped = 0
if offered > counted then
  local unavailable = offered - counted
  if has_frame then
    redis.call('XADD', KEYS[1], '*', 'header', ARGV[9], ARGV[12], ARGV[10])
    redis.call('HSET', KEYS[2], 'carrier', ARGV[12])
    unavailable = unavailable - 1
  end
  redis.call('HINCRBY', KEYS[2], 'received', offered - counted)
  if unavailable > 0 then
    redis.call('HINCRBY', KEYS[2], 'outcome:queue_unavailable', unavailable)
  end
  redis.call('HSET', KEYS[3], writer .. ':offered', offered)
  while redis.call('XLEN', KEYS[1]) > tonumber(ARGV[8]) do
    local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', KEYS[1], oldest[1])
    dropped = dropped + 1
  end
  if dropped > 0 then redis.call('HINCRBY', KEYS[2], 'outcome:queue_full', dropped) end
end
for index, what in ipairs({'skipped', 'corrupt'}) do
  local total = tonumber(ARGV[2 + 2 * index])
  local before = known(':' .. what, ARGV[3 + 2 * index])
  if total > before then
    redis.call('HINCRBY', KEYS[2], what, total - before)
    redis.call('HSET', KEYS[3], writer .. ':' .. what, total)
  end
end
redis.call('PEXPIRE', KEYS[3], ARGV[11])
return {dropped, redis.call('GET', KEYS[4]) or ''}
"""

SETTLE: Final = """
local removed = redis.call('XDEL', KEYS[1], ARGV[1])
if removed == 1 then redis.call('HINCRBY', KEYS[2], ARGV[2], 1) end
return removed
"""

ACCOUNT: Final = """
return {redis.call('XLEN', KEYS[1]), redis.call('HGETALL', KEYS[2])}
"""
