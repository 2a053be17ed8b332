-- Empties a partition and gives it a new incarnation.
--
-- KEYS  1 meta  2 rounds  3 journal of posts  4… every key that the meta and the
--       rounds know
-- ARGV  1 incarnation and 2 next as the caller saw them, '' when it saw none
--       3 new incarnation  4 next  5 epoch  6 first epoch to be kept
--       7 first entry of the journal of posts, or ''
--       8… rounds that were sealed before that place

local meta = redis.call('HMGET', KEYS[1], 'inc', 'next', 'epoch', 'ready', 'keep')
if not (meta[2] and meta[3] and meta[4] and meta[5]) then meta[1] = false end
if (meta[1] or '') ~= ARGV[1] or (meta[1] and meta[2] ~= ARGV[2]) then
	if not meta[1] then return {'empty'} end
	return {'fenced', meta[1], meta[2], meta[3], meta[4], meta[5]}
end
for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
redis.call('HSET', KEYS[2], 'inc', ARGV[3])
for i = 8, #ARGV do redis.call('HSET', KEYS[2], ARGV[i], 'sealed') end
if ARGV[7] ~= '' then
	redis.call('RPUSH', KEYS[3], ARGV[7])
	redis.call('HSET', KEYS[2], 'fold', #ARGV[7])
end
redis.call('HSET', KEYS[1], 'epochs', '', 'keep', ARGV[6], 'ready', '0',
	'epoch', ARGV[5], 'next', ARGV[4], 'inc', ARGV[3])
return {'ok'}
