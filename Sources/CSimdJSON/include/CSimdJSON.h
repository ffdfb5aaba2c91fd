#pragma once
/// A C face for simdjson's DOM: parse once, then look around by small value handles.
///
/// A `csj_element` points into its parser's document and is valid until that parser parses again or is destroyed.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csj_parser csj_parser;

typedef struct {
    const void *_Nullable document;
    size_t index;
} csj_element;

/// A walk through an array's elements or an object's members.
typedef struct {
    csj_element position;
    csj_element end;
} csj_walk;

typedef enum {
    CSJ_NULL, CSJ_BOOL, CSJ_INTEGER, CSJ_UNSIGNED, CSJ_DOUBLE, CSJ_STRING, CSJ_ARRAY, CSJ_OBJECT
} csj_kind;

typedef enum { CSJ_OK, CSJ_TOO_DEEP, CSJ_BAD_UTF8, CSJ_TOO_BIG, CSJ_MALFORMED } csj_outcome;

csj_parser *_Nullable csj_parser_create(size_t max_depth);
void csj_parser_destroy(csj_parser *_Nonnull parser);

/// Parses `length` bytes; `padded` says that `csj_padding()` more bytes may be read behind them.
csj_outcome csj_parse(csj_parser *_Nonnull parser, const uint8_t *_Nonnull bytes, size_t length, bool padded,
                      csj_element *_Nonnull root);
size_t csj_padding(void);

csj_kind csj_kind_of(csj_element element);
bool csj_bool(csj_element element);
int64_t csj_integer(csj_element element);
uint64_t csj_unsigned(csj_element element);
double csj_double(csj_element element);
const char *_Nonnull csj_string(csj_element element, size_t *_Nonnull length);

/// The first member of that name; false when `object` is no object or has none.
bool csj_member(csj_element object, const char *_Nonnull key, size_t key_length, csj_element *_Nonnull found);

csj_walk csj_walk_array(csj_element array);
csj_walk csj_walk_object(csj_element object);
bool csj_next_element(csj_walk *_Nonnull walk, csj_element *_Nonnull element);
bool csj_next_member(csj_walk *_Nonnull walk, const char *_Nullable *_Nonnull key, size_t *_Nonnull key_length,
                     csj_element *_Nonnull value);

/// The element as compact JSON text, handed to `sink` in one piece.
void csj_serialize(csj_element element, void *_Nullable context,
                   void (*_Nonnull sink)(void *_Nullable context, const char *_Nonnull text, size_t length));

#ifdef __cplusplus
}
#endif
