// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_probe.h"

/* All commands of Redis 7, in their order. */
static const char names[][REDIS_NAME_LONGEST + 1] = {
    "ACL", "APPEND", "ASKING", "AUTH", "BGREWRITEAOF", "BGSAVE", "BITCOUNT", "BITFIELD",
    "BITFIELD_RO", "BITOP", "BITPOS", "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH",
    "BZMPOP", "BZPOPMAX", "BZPOPMIN", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "COPY",
    "DBSIZE", "DEBUG", "DECR", "DECRBY", "DEL", "DISCARD", "DUMP", "ECHO", "EVAL",
    "EVALSHA", "EVALSHA_RO", "EVAL_RO", "EXEC", "EXISTS", "EXPIRE", "EXPIREAT",
    "EXPIRETIME", "FAILOVER", "FCALL", "FCALL_RO", "FLUSHALL", "FLUSHDB", "FUNCTION",
    "GEOADD", "GEODIST", "GEOHASH", "GEOPOS", "GEORADIUS", "GEORADIUSBYMEMBER",
    "GEORADIUSBYMEMBER_RO", "GEORADIUS_RO", "GEOSEARCH", "GEOSEARCHSTORE", "GET", "GETBIT",
    "GETDEL", "GETEX", "GETRANGE", "GETSET", "HDEL", "HELLO", "HEXISTS", "HGET", "HGETALL",
    "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN", "HMGET", "HMSET", "HRANDFIELD", "HSCAN",
    "HSET", "HSETNX", "HSTRLEN", "HVALS", "INCR", "INCRBY", "INCRBYFLOAT", "INFO", "KEYS",
    "LASTSAVE", "LATENCY", "LCS", "LINDEX", "LINSERT", "LLEN", "LMOVE", "LMPOP", "LOLWUT",
    "LPOP", "LPOS", "LPUSH", "LPUSHX", "LRANGE", "LREM", "LSET", "LTRIM", "MEMORY", "MGET",
    "MIGRATE", "MODULE", "MONITOR", "MOVE", "MSET", "MSETNX", "MULTI", "OBJECT", "PERSIST",
    "PEXPIRE", "PEXPIREAT", "PEXPIRETIME", "PFADD", "PFCOUNT", "PFDEBUG", "PFMERGE",
    "PFSELFTEST", "PING", "PSETEX", "PSUBSCRIBE", "PSYNC", "PTTL", "PUBLISH", "PUBSUB",
    "PUNSUBSCRIBE", "QUIT", "RANDOMKEY", "READONLY", "READWRITE", "RENAME", "RENAMENX",
    "REPLCONF", "REPLICAOF", "RESET", "RESTORE", "ROLE", "RPOP", "RPOPLPUSH", "RPUSH",
    "RPUSHX", "SADD", "SAVE", "SCAN", "SCARD", "SCRIPT", "SDIFF", "SDIFFSTORE", "SELECT",
    "SET", "SETBIT", "SETEX", "SETNX", "SETRANGE", "SHUTDOWN", "SINTER", "SINTERCARD",
    "SINTERSTORE", "SISMEMBER", "SLAVEOF", "SLOWLOG", "SMEMBERS", "SMISMEMBER", "SMOVE",
    "SORT", "SORT_RO", "SPOP", "SPUBLISH", "SRANDMEMBER", "SREM", "SSCAN", "SSUBSCRIBE",
    "STRLEN", "SUBSCRIBE", "SUBSTR", "SUNION", "SUNIONSTORE", "SUNSUBSCRIBE", "SWAPDB",
    "SYNC", "TIME", "TOUCH", "TTL", "TYPE", "UNLINK", "UNSUBSCRIBE", "UNWATCH", "WAIT",
    "WATCH", "XACK", "XADD", "XAUTOCLAIM", "XCLAIM", "XDEL", "XGROUP", "XINFO", "XLEN",
    "XPENDING", "XRANGE", "XREAD", "XREADGROUP", "XREVRANGE", "XSETID", "XTRIM", "ZADD",
    "ZCARD", "ZCOUNT", "ZDIFF", "ZDIFFSTORE", "ZINCRBY", "ZINTER", "ZINTERCARD",
    "ZINTERSTORE", "ZLEXCOUNT", "ZMPOP", "ZMSCORE", "ZPOPMAX", "ZPOPMIN", "ZRANDMEMBER",
    "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE", "ZRANGESTORE", "ZRANK", "ZREM",
    "ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZREVRANGE", "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE", "ZREVRANK", "ZSCAN", "ZSCORE", "ZUNION", "ZUNIONSTORE",
};

enum { NAMES = sizeof names / sizeof *names };

/* ---- RESP ----------------------------------------------------------------------------------- */

/* Whether `data` begins with `word`, or might when more comes. */
static enum proto_guess begins_with(struct span data, const char *word)
{
    size_t size = strlen(word);
    size_t known = data.size < size ? data.size : size;
    if (memcmp(data.data, word, known) != 0) {
        return PROTO_NO;
    }
    return known == size ? PROTO_YES : PROTO_UNSURE;
}

/* A length and the end of its line, then what may come next. */
static enum proto_guess begins_with_length(struct span data, bool wants_bulk)
{
    size_t at = 1;
    while (at < data.size && data.data[at] >= '0' && data.data[at] <= '9') {
        at++;
    }
    if (at > 10 || (at == 1 && at < data.size)) {
        return PROTO_NO;
    }
    enum proto_guess guess = begins_with(span_skip(data, at), wants_bulk ? "\r\n$" : "\r\n");
    return at == data.size ? PROTO_UNSURE : guess;
}

/* Words of consent, which others say as well (POP3), until something comes that those do not say. */
static enum proto_guess begins_with_consent(struct span data)
{
    static const char consent[] = "+OK\r\n";
    enum proto_guess guess = begins_with(data, consent);
    if (guess != PROTO_YES) {
        return guess;
    }
    while (guess == PROTO_YES) {
        data = span_skip(data, sizeof consent - 1);
        guess = data.size > 0 ? begins_with(data, consent) : PROTO_UNSURE;
    }
    return guess == PROTO_NO && memchr("*$:", *data.data, 3) != NULL ? PROTO_YES : guess;
}

static enum proto_guess surer(enum proto_guess a, enum proto_guess b)
{
    return a > b ? a : b;
}

static enum proto_guess looks_like_resp(struct span data)
{
    static const char *const words[] = {
        "PING\r\n", "INFO\r\n",             "+PONG\r\n", "$-1\r\n",
        "*-1\r\n",  "-ERR unknown command", "-WRONGTYPE ", "-NOAUTH ",
    };
    enum proto_guess guess = begins_with_consent(data);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        guess = surer(guess, begins_with(data, words[i]));
    }
    if (memchr("*>%~", data.data[0], 4) != NULL) {
        guess = surer(guess, begins_with_length(data, true));
    } else if (data.data[0] == '$' || data.data[0] == ':') {
        guess = surer(guess, begins_with_length(data, false));
    }
    return guess;
}

/* ---- Commands without RESP ------------------------------------------------------------------ */

static bool is_end(uint8_t byte)
{
    return byte == ' ' || byte == '\r' || byte == '\n';
}

/* How the upper case of a word compares with a name, as far as the word goes. */
static int compare(struct span word, const char *name)
{
    int ret = 0;
    for (size_t i = 0; i < word.size && ret == 0; i++) {
        uint8_t byte = word.data[i];
        ret = (byte >= 'a' && byte <= 'z' ? byte - 32 : byte) - (uint8_t)name[i];
    }
    return ret;
}

/* A word that is a command, or may become one; `is_whole`: no more of it comes. */
static bool is_name(struct span word, bool is_whole)
{
    if (word.size == 0 || word.size > REDIS_NAME_LONGEST) {
        return false;
    }
    size_t low = 0, high = NAMES;
    while (low < high) { /* to the first that is not before it */
        size_t middle = (low + high) / 2;
        if (compare(word, names[middle]) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < NAMES && compare(word, names[low]) == 0 &&
           (!is_whole || names[low][word.size] == '\0');
}

/* Whether a line ends like the first of a request in HTTP, SIP or RTSP, with a name and its version. */
static bool ends_with_version(struct span line)
{
    size_t at = line.size;
    while (at > 0 && ((line.data[at - 1] >= '0' && line.data[at - 1] <= '9') || line.data[at - 1] == '.')) {
        at--;
    }
    return at >= 4 && at < line.size && line.data[at - 1] == '/' && line.data[at - 2] >= 'A' &&
           line.data[at - 2] <= 'Z';
}

static bool is_text(struct span line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] < ' ' && line.data[i] != '\t') {
            return false;
        }
    }
    return true;
}

static enum proto_guess looks_like_line(struct span data)
{
    size_t size = 0;
    while (size < data.size && size <= REDIS_NAME_LONGEST && !is_end(data.data[size])) {
        size++;
    }
    if (!is_name(span_head(data, size), size < data.size)) {
        return PROTO_NO;
    }
    struct span line = span_head(data, REDIS_PROBED_LINE);
    const uint8_t *end = memchr(line.data, '\n', line.size);
    bool is_long = end == NULL && line.size == REDIS_PROBED_LINE;
    line.size = end != NULL ? (size_t)(end - line.data) : line.size;
    line.size -= line.size > 0 && line.data[line.size - 1] == '\r';
    if (is_long || !is_text(line)) {
        return PROTO_NO;
    }
    return end == NULL ? PROTO_UNSURE : ends_with_version(line) ? PROTO_NO : PROTO_YES;
}

/* ---- The door ------------------------------------------------------------------------------- */

enum proto_guess redis_probe(struct span data, unsigned side)
{
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    enum proto_guess guess = looks_like_resp(data);
    if (guess == PROTO_NO && side == 0 && looks_like_line(data) != PROTO_NO) {
        return PROTO_UNSURE;
    }
    return guess;
}

enum proto_guess redis_probe_at_port(struct span data, unsigned side)
{
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    return surer(looks_like_resp(data), side == 0 ? looks_like_line(data) : PROTO_NO);
}
