#pragma once
/// hiredis, of which only the reply reader is used: sockets and TLS are the event loop's.
#include <hiredis/hiredis.h>
#include <string.h>

/// Elements one array may announce; memory for all of them is taken before the first has come.
enum { CHR_MAXIMUM_ELEMENTS = 1 << 20 };
/// Bytes a line (a status, an error, a number, an array's head) may have.
enum { CHR_MAXIMUM_LINE = 1 << 16 };
/// Bytes the head of a string may have: a type, a number of 19 digits, a line end.
enum { CHR_MAXIMUM_STRING_HEAD = 32 };

/// The library's own builders, which travel as the reader's private data.
static inline redisReplyObjectFunctions *chr_builders(const redisReadTask *task) {
    return (redisReplyObjectFunctions *)task->privdata;
}
static inline void *chr_build_string(const redisReadTask *task, char *text, size_t length) {
    return chr_builders(task)->createString(task, text, length);
}
static inline void *chr_build_array(const redisReadTask *task, int elements) {
    if (elements > CHR_MAXIMUM_ELEMENTS) return NULL;
    return chr_builders(task)->createArray(task, elements);
}
static inline void *chr_build_integer(const redisReadTask *task, long long value) {
    return chr_builders(task)->createInteger(task, value);
}
static inline void *chr_build_nil(const redisReadTask *task) { return chr_builders(task)->createNil(task); }

static inline redisReader *chr_reader_create(void) {
    static redisReplyObjectFunctions bounded = {chr_build_string, chr_build_array, chr_build_integer, chr_build_nil,
                                                freeReplyObject};
    redisReader *reader = redisReaderCreate();
    if (reader == NULL) return NULL;
    reader->privdata = reader->fn;
    reader->fn = &bounded;
    return reader;
}

/// Bytes fed and not yet consumed.
static inline size_t chr_reader_unread(const redisReader *reader) { return reader->len - reader->pos; }

/// Whether what is unread can no longer become a reply: a line that should have ended long ago. The reader looks for a
/// line's end from its start again with every feed, so that an endless one costs time as well as memory.
static inline int chr_reader_is_hopeless(const redisReader *reader) {
    size_t unread = chr_reader_unread(reader);
    if (unread <= CHR_MAXIMUM_STRING_HEAD || reader->ridx < 0) return 0;
    if (reader->rstack[reader->ridx].type != REDIS_REPLY_STRING) return unread > CHR_MAXIMUM_LINE;
    return memchr(reader->buf + reader->pos, '\n', CHR_MAXIMUM_STRING_HEAD) == NULL;
}
