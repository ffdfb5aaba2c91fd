#pragma once
/// zlib, and as functions the macros of it that Swift cannot see.
#include <zlib.h>

/// Raw deflate (RFC 1951, without header and checksum); `window_bits` is positive, 9 to 15.
static inline int shim_deflate_init_raw(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int shim_inflate_init_raw(z_stream *stream, int window_bits) {
    return inflateInit2(stream, -window_bits);
}
