-- The entries of a round's journal from an index on. Indexes count from the
-- round's first entry, those included that a rewrite took away.
--
-- KEYS  1 meta  2 rounds  3 journal
-- ARGV  1 incarnation  2 index  3 round  4 most entries to give

local meta = redis.call('HMGET', KEYS[1], 'inc', 'next', 'epoch', 'ready', 'keep')
if not meta[1] then return {'empty'} end
local bytes, gone = unpack(redis.call('HMGET', KEYS[2], ARGV[3], ARGV[3] .. '+'))
if bytes == 'sealed' then return {'sealed'} end
local index, base = tonumber(ARGV[2]), tonumber(gone or '0')
if index == 0 then index = base end
-- A list that the rounds do not know is what an earlier life left behind.
local length = bytes and redis.call('LLEN', KEYS[3]) or 0
if meta[1] ~= ARGV[1] or index < base or index > base + length then
	return {'fenced', meta[1], meta[2], meta[3], meta[4], meta[5]}
end
if not bytes then return {'ok', tostring(index), {}} end
local from = index - base
return {'ok', tostring(index), redis.call('LRANGE', KEYS[3], from, from + ARGV[4] - 1)}
