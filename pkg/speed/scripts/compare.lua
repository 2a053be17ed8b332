-- How a step of ballots or of posts begins: compare. It is one script with
-- advance.lua or advance_posts.lua behind it, and move.lua behind that.
--
-- KEYS  1 meta  2 rounds  3 and 4 what is held of the step's epoch
-- ARGV  1 incarnation  2 expected next  3 new next  4 new epoch
--       5 ready: '1', '0', or '' to leave it
--
-- A script is not rolled back: whatever can be wrong is looked at before the
-- first write, and the offset is stored last.

local meta = redis.call('HMGET', KEYS[1], 'inc', 'next', 'epoch', 'ready', 'keep', 'epochs')
if not meta[1] then return {'empty'} end
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] then
	-- At one (incarnation, next) the fold has one state, whoever wrote it.
	local there = meta[1] == ARGV[1] and meta[2] == ARGV[3] and meta[3] == ARGV[4]
	if there and (ARGV[5] == '' or ARGV[5] == meta[4]) then return {'there'} end
	return {'fenced', meta[1], meta[2], meta[3], meta[4], meta[5]}
end
if redis.call('HGET', KEYS[2], 'inc') ~= meta[1] then return {'damaged'} end

-- Whether the step's epoch is held at all, and whether it was begun before.
local kept = tonumber(ARGV[4]) >= tonumber(meta[5])
local opened = string.find(',' .. meta[6] .. ',', ',' .. ARGV[4] .. ',', 1, true)

