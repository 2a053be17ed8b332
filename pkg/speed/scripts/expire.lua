-- Forgets the epochs below a number and keeps them forgotten: a worker that
-- lags folds on through them without counting.
--
-- KEYS  1 meta  2… counters and series of the epochs to drop, in pairs
-- ARGV  1 first epoch to be kept  2 the epochs that stay, as a list
--       3 the list of epochs as the caller saw it

local meta = redis.call('HMGET', KEYS[1], 'inc', 'keep', 'epochs')
if not meta[1] then return {'empty'} end
if meta[3] ~= ARGV[3] then return {'changed'} end
for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
if tonumber(meta[2]) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'keep', ARGV[1]) end
redis.call('HSET', KEYS[1], 'epochs', ARGV[2])
return {'ok'}
