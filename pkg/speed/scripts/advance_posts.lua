-- One step of one partition of posts: write, between compare.lua and move.lua.
--
-- KEYS  1 meta  2 index of lists  3 minutes of the step's epoch  4 their marks
--       5 journal  6… lists of recent posts: first those pushed to, then those
--       that go
-- ARGV  1…5 as of every step
--       6 the journal's entry, or ''  7 'rewrite', 'push' or ''
--       8…11 how many minutes, topics forgotten, lists pushed to, lists that go
--       12 most entries of a list of recent posts
--       13… name and value of each minute; name of each topic forgotten; for each
--           list pushed to its name, how many entries, and these; name of each
--           list that goes
--
-- Minutes are absolute, so the last step's are the truth whatever came before.
-- unpack has a limit: 500 at a time.

local minutes, forgotten = tonumber(ARGV[8]), tonumber(ARGV[9])
local pushes, unlisted = tonumber(ARGV[10]), tonumber(ARGV[11])
if kept and opened then
	if redis.call('HEXISTS', KEYS[3], 'from') == 0 or not redis.call('ZSCORE', KEYS[4], 'from') then
		return {'damaged'}
	end
end
for i = 5, 5 + pushes do
	local kind = redis.call('TYPE', KEYS[i])
	kind = kind.ok or kind
	if kind ~= 'list' and kind ~= 'none' then return {'damaged'} end
end
local journal = redis.call('HGET', KEYS[2], 'fold')
if ARGV[7] == 'push' and journal and redis.call('EXISTS', KEYS[5]) == 0 then return {'damaged'} end

if kept and not opened then
	redis.call('UNLINK', KEYS[3], KEYS[4])
	redis.call('HSET', KEYS[3], 'from', ARGV[2])
	redis.call('ZADD', KEYS[4], -1, 'from')
end
local at = 13 + 2 * minutes
if kept then
	for from = 13, at - 1, 500 do
		local to = math.min(from + 499, at - 1)
		redis.call('HSET', KEYS[3], unpack(ARGV, from, to))
		local marks = {}
		for i = from, to, 2 do
			marks[#marks + 1] = ARGV[3]
			marks[#marks + 1] = ARGV[i]
		end
		redis.call('ZADD', KEYS[4], unpack(marks))
	end
end
if kept and forgotten > 0 then
	local gone = {}
	for i = at, at + forgotten - 1 do gone[ARGV[i]] = true end
	for _, name in ipairs(redis.call('HKEYS', KEYS[3])) do
		if gone[string.match(name, '^(.*):')] then
			redis.call('HDEL', KEYS[3], name)
			redis.call('ZREM', KEYS[4], name)
		end
	end
end
at = at + forgotten

if ARGV[7] == 'rewrite' or (ARGV[7] == 'push' and not journal) then
	redis.call('UNLINK', KEYS[5])
	redis.call('RPUSH', KEYS[5], ARGV[6])
	redis.call('HSET', KEYS[2], 'fold', #ARGV[6])
elseif ARGV[7] == 'push' then
	redis.call('RPUSH', KEYS[5], ARGV[6])
	redis.call('HINCRBY', KEYS[2], 'fold', #ARGV[6])
end
for i = 1, pushes do
	local name, entries, key = ARGV[at], tonumber(ARGV[at + 1]), KEYS[5 + i]
	at = at + 2
	-- A list that the index does not know is what an earlier life left behind.
	if redis.call('HEXISTS', KEYS[2], name) == 0 then
		redis.call('UNLINK', key)
		redis.call('HSET', KEYS[2], name, '1')
	end
	for from = at, at + entries - 1, 500 do
		redis.call('RPUSH', key, unpack(ARGV, from, math.min(from + 499, at + entries - 1)))
	end
	redis.call('LTRIM', key, '-' .. ARGV[12], -1)
	at = at + entries
end
for i = 1, unlisted do
	redis.call('UNLINK', KEYS[5 + pushes + i])
	redis.call('HDEL', KEYS[2], ARGV[at + i - 1])
end
