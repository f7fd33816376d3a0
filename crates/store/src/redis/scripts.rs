//! The operations that are more than one command, as scripts that run atomically at the server.
//!
//! Each kind of thing has a Redis type of its own, so that asking for another kind is Redis's
//! own `WRONGTYPE`: a value is a string, a counter a hash with the field `c`, a set a set, a
//! lease a list of owner and fence, a rate limit a sorted set with the one member `t`. Numbers
//! beyond 2⁵³ never pass through Lua's doubles: they are compared as decimal text, and added by
//! `HINCRBY`. The time is the server's.

use std::borrow::Cow;

use sha1::{Digest, Sha1};

/// A script with the name that the server knows it by.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) body: Cow<'static, str>,
    pub(super) sha: String,
}

impl Script {
    fn new(body: impl Into<Cow<'static, str>>) -> Self {
        let body = body.into();
        let digest = Sha1::digest(body.as_bytes());
        let sha = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { body, sha }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) compare_and_set: Script,
    pub(super) add_all: Script,
    pub(super) throttle: Script,
    pub(super) set_insert: Script,
    pub(super) acquire: Script,
    pub(super) release: Script,
    pub(super) get_or_lease: Script,
    pub(super) conclude: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            compare_and_set: Script::new(COMPARE_AND_SET),
            add_all: Script::new(ADD_ALL),
            throttle: Script::new(THROTTLE),
            set_insert: Script::new(SET_INSERT),
            acquire: Script::new(ACQUIRE),
            release: Script::new(RELEASE),
            get_or_lease: Script::new(format!(
                "local function acquire(KEYS, ARGV)\n{ACQUIRE}\nend\n{GET_OR_LEASE}"
            )),
            conclude: Script::new(CONCLUDE),
        }
    }
}

/// Key; whether something is expected, what, the value, lifetime in ms or empty → 1 or 0.
const COMPARE_AND_SET: &str = r"
local there = redis.pcall('GET', KEYS[1])
if type(there) == 'table' then return there end
if ARGV[1] == '1' then
  if there ~= ARGV[2] then return 0 end
elseif there then
  return 0
end
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], ARGV[3])
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
return 1
";

/// Counters; writer or empty, number, lowest number still open, then for each counter what is
/// added, limit or empty, lifetime in ms or empty → what happened and the figures.
///
/// With a writer, an addition happens once however often it is sent, and however late: the first
/// counter has a field, `w:` and the writer's name, with the day of its last addition, the
/// lowest number that was still open then, and the numbers from there on that have been applied.
/// What comes with a lower number is late, and changes nothing. Fields of writers that were not
/// heard of for 30 days go once there are more than 16.
const ADD_ALL: &str = r"
local function less(a, b)
  local na, nb = string.sub(a, 1, 1) == '-', string.sub(b, 1, 1) == '-'
  if na ~= nb then return na end
  if na then a, b = string.sub(b, 2), string.sub(a, 2) end
  if #a ~= #b then return #a < #b end
  return a < b
end

local old = {}
for i, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then return {'wrong'} end
  local there = redis.call('HGET', key, 'c')
  if there and not string.match(there, '^%-?%d+$') then return {'corrupt'} end
  if kind == 'hash' and not there then return {'corrupt'} end
  old[i] = there
end

local field, open, low
if ARGV[1] ~= '' then
  field, low = 'w:' .. ARGV[1], ARGV[3]
  local seen = redis.call('HGET', KEYS[1], field) or ''
  local before, numbers = string.match(seen, '^%d+:(%d+):(.*)$')
  open = {}
  local done = before and less(ARGV[2], before)
  for number in string.gmatch(numbers or '', '%d+') do
    if number == ARGV[2] then done = true end
    if not less(number, low) then open[#open + 1] = number end
  end
  if done then
    local sums = {'all'}
    for i = 1, #KEYS do sums[i + 1] = old[i] or '0' end
    return sums
  end
  if before and less(low, before) then low = before end
  open[#open + 1] = ARGV[2]
end

local function undo(last)
  for i = 1, last do
    if old[i] then redis.call('HSET', KEYS[i], 'c', old[i]) else redis.call('DEL', KEYS[i]) end
  end
end

local sums = {'all'}
for i, key in ipairs(KEYS) do
  local by, limit = ARGV[3 * i + 1], ARGV[3 * i + 2]
  local added = redis.pcall('HINCRBY', key, 'c', by)
  if type(added) == 'table' then
    undo(i - 1)
    if string.sub(added.err, 1, 4) == 'ERR ' then return {'beyond'} end
    return added
  end
  local sum = redis.call('HGET', key, 'c')
  if limit ~= '' and less('0', by) and less(limit, sum) then
    undo(i)
    return {'over', tostring(i - 1), old[i] or '0'}
  end
  sums[i + 1] = sum
end

for i, key in ipairs(KEYS) do
  local lifetime = ARGV[3 * i + 3]
  if not old[i] and lifetime ~= '' then redis.call('PEXPIRE', key, lifetime) end
end
if field then
  local today = math.floor(tonumber(redis.call('TIME')[1]) / 86400)
  redis.call('HSET', KEYS[1], field, today .. ':' .. low .. ':' .. table.concat(open, ','))
  if redis.call('HLEN', KEYS[1]) > 17 then
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      local day = string.match(all[i + 1], '^(%d+):')
      if string.sub(all[i], 1, 2) == 'w:' and day and tonumber(day) + 30 < today then
        redis.call('HDEL', KEYS[1], all[i])
      end
    end
  end
end
return sums
";

/// Rate limit; interval in µs, burst, cost → whether, µs outstanding, µs to wait.
const THROTTLE: &str = r"
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'zset' and kind ~= 'none' then return {'wrong'} end
local text = function(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, cost = tonumber(ARGV[1]), tonumber(ARGV[3])
local whole = interval * tonumber(ARGV[2])
local ahead = 0
local arrival = redis.call('ZSCORE', KEYS[1], 't')
if arrival then ahead = math.max(0, math.min(tonumber(arrival) - now, whole)) end
local after = ahead + interval * cost
if after > whole then return {'no', text(ahead), text(after - whole)} end
if cost > 0 then
  redis.call('ZADD', KEYS[1], text(now + after), 't')
  redis.call('PEXPIREAT', KEYS[1], text(math.ceil((now + after) / 1000)))
end
return {'yes', text(after), '0'}
";

/// Set; member, lifetime in ms or empty, most members → 1 if new, 0 if not.
const SET_INSERT: &str = r"
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'set' and kind ~= 'none' then return {'wrong'} end
local there = redis.call('SISMEMBER', KEYS[1], ARGV[1])
if there == 0 then
  if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[3]) then return {'full'} end
  redis.call('SADD', KEYS[1], ARGV[1])
end
if ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {tostring(1 - there)}
";

/// Lease and, where its name allows, its history; owner, lifetime in ms, the history's lifetime
/// in ms → granted, the fence and whether the history knows of nobody else; or held, the owner
/// and ms left.
///
/// A fence is the server's time in µs, or one more than the last where that is larger: it grows
/// also where a failover has lost the history, as far as the servers' clocks agree.
const ACQUIRE: &str = r"
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'list' then
  local owner = redis.call('LINDEX', KEYS[1], 0)
  if owner ~= ARGV[1] then
    return {'held', owner, tostring(redis.call('PTTL', KEYS[1]))}
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {'granted', redis.call('LINDEX', KEYS[1], 1), '0'}
elseif kind ~= 'none' then
  return {'wrong'}
end
local time = redis.call('TIME')
local fence = tonumber(time[1]) * 1000000 + tonumber(time[2])
local first = '0'
if KEYS[2] then
  local before = redis.call('GET', KEYS[2])
  if not before then first = '1' end
  local last = tonumber(before or '0')
  if last and last >= fence then fence = last + 1 end
  redis.call('SET', KEYS[2], string.format('%.0f', fence), 'PX', ARGV[3])
end
redis.call('RPUSH', KEYS[1], ARGV[1], string.format('%.0f', fence))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'granted', string.format('%.0f', fence), first}
";

/// Lease; owner → 1 if it had it, 0 if not.
const RELEASE: &str = r"
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return {'0'} end
if kind ~= 'list' then return {'wrong'} end
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return {'0'} end
redis.call('DEL', KEYS[1])
return {'1'}
";

/// Value, lease and, where its name allows, its history; as for a lease → the value; or as for a
/// lease.
const GET_OR_LEASE: &str = r"
local there = redis.call('GET', KEYS[1])
if there then return {'value', there} end
return acquire({KEYS[2], KEYS[3]}, ARGV)
";

/// Lease, whose name is the channel's, and the value's key if there is one; owner, message, then the
/// value and its lifetime in ms → 1. A value that isn't taken fails the whole after the rest was done.
const CONCLUDE: &str = r"
local put
if KEYS[2] then put = redis.pcall('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then return {'wrong'} end
if kind == 'list' and redis.call('LINDEX', KEYS[1], 0) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('PUBLISH', KEYS[1], ARGV[2])
if type(put) == 'table' and put.err then return put end
return {'1'}
";
