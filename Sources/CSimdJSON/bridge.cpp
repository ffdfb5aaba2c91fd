#include "CSimdJSON.h"

#include <cstring>
#include <new>
#include <simdjson.h>
#include <type_traits>

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

struct csj_parser {
    simdjson::dom::parser parser;
    explicit csj_parser(size_t max_depth) : depth(max_depth) {}
    size_t depth;
};

namespace {

// Handles travel through C as plain bytes; these hold only while simdjson's handles are such.
template <typename T> csj_element pack(const T &value) {
    static_assert(sizeof(T) == sizeof(csj_element) && std::is_trivially_copyable<T>::value, "simdjson handle changed");
    csj_element out;
    std::memcpy(&out, &value, sizeof out);
    return out;
}

template <typename T> T unpack(csj_element handle) {
    static_assert(sizeof(T) == sizeof(csj_element) && std::is_trivially_copyable<T>::value, "simdjson handle changed");
    T out;
    std::memcpy(static_cast<void *>(&out), &handle, sizeof out);
    return out;
}

}  // namespace

csj_parser *csj_parser_create(size_t max_depth) { return new (std::nothrow) csj_parser(max_depth); }
void csj_parser_destroy(csj_parser *parser) { delete parser; }
size_t csj_padding(void) { return simdjson::SIMDJSON_PADDING; }

csj_outcome csj_parse(csj_parser *parser, const uint8_t *bytes, size_t length, bool padded, csj_element *root) {
    auto &dom = parser->parser;
    if (dom.capacity() < length || dom.max_depth() != parser->depth) {
        const size_t capacity = length < 4096 ? 4096 : length;
        if (dom.allocate(capacity, parser->depth) != simdjson::SUCCESS) return CSJ_TOO_BIG;
    }
    element value;
    switch (dom.parse(bytes, length, !padded).get(value)) {
    case simdjson::SUCCESS: *root = pack(value); return CSJ_OK;
    case simdjson::DEPTH_ERROR: return CSJ_TOO_DEEP;
    case simdjson::UTF8_ERROR: return CSJ_BAD_UTF8;
    case simdjson::CAPACITY: case simdjson::MEMALLOC: return CSJ_TOO_BIG;
    default: return CSJ_MALFORMED;
    }
}

csj_kind csj_kind_of(csj_element handle) {
    switch (unpack<element>(handle).type()) {
    case element_type::ARRAY: return CSJ_ARRAY;
    case element_type::OBJECT: return CSJ_OBJECT;
    case element_type::INT64: return CSJ_INTEGER;
    case element_type::UINT64: return CSJ_UNSIGNED;
    case element_type::DOUBLE: return CSJ_DOUBLE;
    case element_type::STRING: return CSJ_STRING;
    case element_type::BOOL: return CSJ_BOOL;
    default: return CSJ_NULL;
    }
}

bool csj_bool(csj_element handle) { return unpack<element>(handle).get_bool().value_unsafe(); }
int64_t csj_integer(csj_element handle) { return unpack<element>(handle).get_int64().value_unsafe(); }
uint64_t csj_unsigned(csj_element handle) { return unpack<element>(handle).get_uint64().value_unsafe(); }
double csj_double(csj_element handle) { return unpack<element>(handle).get_double().value_unsafe(); }

const char *csj_string(csj_element handle, size_t *length) {
    const auto text = unpack<element>(handle).get_string().value_unsafe();
    *length = text.size();
    return text.data();
}

bool csj_member(csj_element handle, const char *key, size_t key_length, csj_element *found) {
    object members;
    if (unpack<element>(handle).get(members) != simdjson::SUCCESS) return false;
    element value;
    if (members.at_key(std::string_view(key, key_length)).get(value) != simdjson::SUCCESS) return false;
    *found = pack(value);
    return true;
}

csj_walk csj_walk_array(csj_element handle) {
    const array items = unpack<element>(handle).get_array().value_unsafe();
    return {pack(items.begin()), pack(items.end())};
}

csj_walk csj_walk_object(csj_element handle) {
    const object members = unpack<element>(handle).get_object().value_unsafe();
    return {pack(members.begin()), pack(members.end())};
}

bool csj_next_element(csj_walk *walk, csj_element *value) {
    auto position = unpack<array::iterator>(walk->position);
    if (position == unpack<array::iterator>(walk->end)) return false;
    *value = pack(*position);
    ++position;
    walk->position = pack(position);
    return true;
}

bool csj_next_member(csj_walk *walk, const char **key, size_t *key_length, csj_element *value) {
    auto position = unpack<object::iterator>(walk->position);
    if (position == unpack<object::iterator>(walk->end)) return false;
    const auto name = position.key();
    *key = name.data();
    *key_length = name.size();
    *value = pack(position.value());
    ++position;
    walk->position = pack(position);
    return true;
}

void csj_serialize(csj_element handle, void *context, void (*sink)(void *, const char *, size_t)) {
    simdjson::internal::string_builder<> text;
    text.append(unpack<element>(handle));
    const auto view = text.str();
    sink(context, view.data(), view.size());
}
