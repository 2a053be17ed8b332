-- One step of one partition of ballots: apply, between compare.lua and
-- move.lua.
--
-- KEYS  1 meta  2 rounds  3 counters of the step's epoch  4 series of it
--       5… journals: first those pushed to, then rewritten, then sealed
-- ARGV  1…5 as of every step
--       6…10 how many counters, series, pushes, rewrites, seals
--       11… field, amount of each counter, then of each series counter;
--           round, blob of each push, then of each rewrite; round of each seal
--
-- Integers stay strings: Lua's lose digits above 2^53.

local counters, series = tonumber(ARGV[6]), tonumber(ARGV[7])
local pushes, rewrites, seals = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local blobs = 10 + 2 * (counters + series)
if kept and opened then
	local there = redis.call('HEXISTS', KEYS[3], 'from') + redis.call('HEXISTS', KEYS[4], 'from')
	if there < 2 then return {'damaged'} end
end
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
end
