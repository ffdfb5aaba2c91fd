/* Growing byte buffers and WebSocket frame heads, for the floor server and the load generator. */
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *bytes;
    uint32_t count, capacity;
} Buffer;

/* Makes room for `more` bytes at the end, and returns the place. */
static inline char *buffer_room(Buffer *buffer, size_t more) {
    size_t needed = buffer->count + more;
    if (needed > buffer->capacity) {
        if (needed > UINT32_MAX / 2) abort();
        buffer->capacity = (uint32_t)(needed < 512 ? 512 : needed * 2);
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
        if (!buffer->bytes) abort();
    }
    return buffer->bytes + buffer->count;
}

static inline void buffer_append(Buffer *buffer, const void *bytes, size_t count) {
    memcpy(buffer_room(buffer, count), bytes, count);
    buffer->count += (uint32_t)count;
}

static inline void buffer_free(Buffer *buffer) {
    free(buffer->bytes);
    *buffer = (Buffer){0};
}

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10, LONGEST_HEAD = 8 };

/* The head of a final frame of at most 65,535 bytes (RFC 6455 section 5.2). A client's frame is masked: its key is zero, which leaves the
 * payload as it is. Returns the length of the head. */
static inline size_t frame_head(unsigned char *head, int opcode, size_t count, int is_clients) {
    if (count > UINT16_MAX) abort();
    size_t length = 2;
    head[0] = (unsigned char)(0x80 | opcode);
    head[1] = (unsigned char)((is_clients ? 0x80 : 0) | (count < 126 ? count : 126));
    if (count >= 126) {
        head[2] = (unsigned char)(count >> 8);
        head[3] = (unsigned char)count;
        length = 4;
    }
    if (is_clients) {
        memset(head + length, 0, 4);
        length += 4;
    }
    return length;
}

typedef struct {
    int opcode;
    char *payload;
    size_t count, whole; /* of the payload, and with its head */
} Frame;

/* Reads the frame at the start of `bytes`, and unmasks it in place. Returns 0 when it is not whole yet, -1 when it is of a form that neither
 * program sends, else 1. */
static inline int frame_read(Frame *frame, char *bytes, size_t available) {
    const unsigned char *head = (const unsigned char *)bytes;
    if (available < 2) return 0;
    size_t length = 2, count = head[1] & 0x7F;
    if (count == 127) {
        if (available < 10) return 0;
        count = 0;
        for (int at = 2; at < 10; at++) count = count << 8 | head[at];
        if (count > 1 << 20) return -1;
        length = 10;
    } else if (count == 126) {
        if (available < 4) return 0;
        count = (size_t)head[2] << 8 | head[3];
        length = 4;
    }
    size_t mask = length;
    if (head[1] & 0x80) length += 4;
    if (available < length + count) return 0;
    *frame = (Frame){head[0] & 15, bytes + length, count, length + count};
    if (head[1] & 0x80)
        for (size_t at = 0; at < count; at++) frame->payload[at] ^= bytes[mask + (at & 3)];
    return 1;
}
