-- How a step ends: it moves, by the names that compare.lua gave.

if kept and not opened then
	local list = ARGV[4]
	if meta[6] ~= '' then list = meta[6] .. ',' .. list end
	redis.call('HSET', KEYS[1], 'epochs', list)
end
if ARGV[5] ~= '' and ARGV[5] ~= meta[4] then redis.call('HSET', KEYS[1], 'ready', ARGV[5]) end
if ARGV[3] ~= meta[2] then redis.call('HSET', KEYS[1], 'epoch', ARGV[4], 'next', ARGV[3]) end
return {'ok'}
