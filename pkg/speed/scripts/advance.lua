-- One step of one partition: compare, apply, move.
--
-- KEYS  1 meta  2 rounds  3 counters of the step's epoch  4 series of it
--       5… journals: first those pushed to, then rewritten, then sealed
-- ARGV  1 incarnation  2 expected next  3 new next  4 new epoch
--       5 ready: '1', '0', or '' to leave it
--       6…10 how many counters, series, pushes, rewrites, seals
--       11… field, amount of each counter, then of each series counter;
--           round, blob of each push, then of each rewrite; round of each seal
--
-- Integers stay strings: Lua's lose digits above 2^53. A script is not rolled
-- back, so whatever can be wrong is looked at before the first write, and the
-- offset is stored last.

local meta = redis.call('HMGET', KEYS[1], 'inc', 'next', 'epoch', 'ready', 'keep', 'epochs')
if not meta[1] then return {'empty'} end
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] then
	-- At one (incarnation, next) the fold has one state, whoever wrote it.
	local there = meta[1] == ARGV[1] and meta[2] == ARGV[3] and meta[3] == ARGV[4]
	if there and (ARGV[5] == '' or ARGV[5] == meta[4]) then return {'there'} end
	return {'fenced', meta[1], meta[2], meta[3], meta[4], meta[5]}
end

local counters, series = tonumber(ARGV[6]), tonumber(ARGV[7])
local pushes, rewrites, seals = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local blobs = 10 + 2 * (counters + series)
local kept = tonumber(ARGV[4]) >= tonumber(meta[5])
local opened = string.find(',' .. meta[6] .. ',', ',' .. ARGV[4] .. ',', 1, true)
if kept and opened then
	local there = redis.call('HEXISTS', KEYS[3], 'from') + redis.call('HEXISTS', KEYS[4], 'from')
	if there < 2 then return {'damaged'} end
end
if redis.call('HGET', KEYS[2], 'inc') ~= meta[1] then return {'damaged'} end
local known = {}
for i = 1, pushes + rewrites do
	known[i] = redis.call('HGET', KEYS[2], ARGV[blobs + 2 * i - 1])
	if known[i] == 'sealed' then return {'damaged'} end
end

for i = 1, pushes do
	local round, blob, key = ARGV[blobs + 2 * i - 1], ARGV[blobs + 2 * i], KEYS[4 + i]
	-- A list that the rounds do not know is what an earlier life left behind.
	if not known[i] then redis.call('UNLINK', key) end
	redis.call('RPUSH', key, blob)
	redis.call('HINCRBY', KEYS[2], round, #blob)
end
for i = pushes + 1, pushes + rewrites do
	local round, blob, key = ARGV[blobs + 2 * i - 1], ARGV[blobs + 2 * i], KEYS[4 + i]
	redis.call('HINCRBY', KEYS[2], round .. '+', redis.call('LLEN', key))
	redis.call('UNLINK', key)
	redis.call('RPUSH', key, blob)
	redis.call('HSET', KEYS[2], round, #blob)
end
local sealed = blobs + 2 * (pushes + rewrites)
for i = 1, seals do
	redis.call('UNLINK', KEYS[4 + pushes + rewrites + i])
	redis.call('HDEL', KEYS[2], ARGV[sealed + i] .. '+')
	redis.call('HSET', KEYS[2], ARGV[sealed + i], 'sealed')
end

if kept then
	if not opened then
		redis.call('UNLINK', KEYS[3], KEYS[4])
		redis.call('HSET', KEYS[3], 'from', ARGV[2])
		redis.call('HSET', KEYS[4], 'from', ARGV[2])
	end
	for i = 11, 9 + 2 * counters, 2 do
		redis.call('HINCRBY', KEYS[3], ARGV[i], ARGV[i + 1])
	end
	for i = 11 + 2 * counters, 9 + 2 * (counters + series), 2 do
		redis.call('HINCRBY', KEYS[4], ARGV[i], ARGV[i + 1])
	end
	if not opened then
		local list = ARGV[4]
		if meta[6] ~= '' then list = meta[6] .. ',' .. list end
		redis.call('HSET', KEYS[1], 'epochs', list)
	end
end
if ARGV[5] ~= '' and ARGV[5] ~= meta[4] then redis.call('HSET', KEYS[1], 'ready', ARGV[5]) end
if ARGV[3] ~= meta[2] then redis.call('HSET', KEYS[1], 'epoch', ARGV[4], 'next', ARGV[3]) end
return {'ok'}
