-- The minutes that were written behind an offset, in the order in which they
-- were written last, a page at a time.
--
-- KEYS  1 meta  2… minutes and marks of each epoch, in pairs, epochs ascending
-- ARGV  1 incarnation  2 the list of epochs as the caller saw it
--       3 offset  4 about how many minutes make a page
--
-- A page ends between two steps, never within one, so that an offset is enough
-- to go on from.

local meta = redis.call('HMGET', KEYS[1], 'inc', 'next', 'epoch', 'ready', 'keep', 'epochs')
if not meta[1] then return {'empty'} end
if meta[1] ~= ARGV[1] or meta[6] ~= ARGV[2] then return {'changed'} end

local room, cursor, more = tonumber(ARGV[4]), ARGV[3], 'done'
local lists = {}
for i = 2, #KEYS, 2 do
	local pairs, behind = {}, '(' .. cursor
	if redis.call('HEXISTS', KEYS[i], 'from') == 0 or not redis.call('ZSCORE', KEYS[i + 1], 'from') then
		return {'damaged'}
	end
	if more == 'more' then
		behind = '+inf'
	elseif room <= 0 and redis.call('ZCOUNT', KEYS[i + 1], behind, '+inf') > 0 then
		behind, more = '+inf', 'more'
	end
	if more == 'done' then
		local last = redis.call('ZRANGEBYSCORE', KEYS[i + 1], behind, '+inf', 'WITHSCORES', 'LIMIT', room - 1, 1)
		local upto = last[2] or '+inf'
		local names = redis.call('ZRANGEBYSCORE', KEYS[i + 1], behind, upto)
		for from = 1, #names, 500 do
			local to = math.min(from + 499, #names)
			local blobs = redis.call('HMGET', KEYS[i], unpack(names, from, to))
			for j = from, to do
				if not blobs[j - from + 1] then return {'damaged'} end
				pairs[2 * j - 1], pairs[2 * j] = names[j], blobs[j - from + 1]
			end
		end
		room = room - #names
		if last[2] then
			cursor = last[2]
			if redis.call('ZCOUNT', KEYS[i + 1], '(' .. cursor, '+inf') > 0 then more = 'more' end
		elseif #names > 0 then
			cursor = redis.call('ZSCORE', KEYS[i + 1], names[#names])
		end
	end
	lists[i / 2] = pairs
end
return {'ok', cursor, more, meta[1], meta[2], meta[3], meta[4], meta[5], lists}
