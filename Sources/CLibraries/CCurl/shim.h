#pragma once
/// libcurl's multi interface, and as functions the variadic calls of it that Swift cannot see.
#include <curl/curl.h>

/// A callback for a part of an answer: `count` items of `size` bytes. Any other result than their product ends the transfer.
typedef size_t (*shim_curl_sink)(char *_Nonnull bytes, size_t size, size_t count, void *_Nullable context);

static inline CURLcode shim_curl_set_number(CURL *_Nonnull handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode shim_curl_set_size(CURL *_Nonnull handle, CURLoption option, int64_t value) {
    return curl_easy_setopt(handle, option, (curl_off_t)value);
}

/// libcurl copies the text, except for `CURLOPT_POSTFIELDS`.
static inline CURLcode shim_curl_set_text(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode shim_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode shim_curl_set_sink(CURL *_Nonnull handle, CURLoption option, shim_curl_sink _Nonnull sink) {
    return curl_easy_setopt(handle, option, sink);
}

static inline long shim_curl_number(CURL *_Nonnull handle, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

/// Valid until the handle is used again.
static inline const char *_Nullable shim_curl_text(CURL *_Nonnull handle, CURLINFO info) {
    char *value = NULL;
    curl_easy_getinfo(handle, info, &value);
    return value;
}

static inline CURLMcode shim_curl_multi_set_number(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLcode shim_curl_result(const CURLMsg *_Nonnull message) { return message->data.result; }
