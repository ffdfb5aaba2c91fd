#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a casting macro, which Swift does not import: SQLite copies what these bind.
static inline int chat_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}
static inline int chat_bind_blob(sqlite3_stmt *statement, int index, const void *data, int bytes) {
    return sqlite3_bind_blob(statement, index, data, bytes, SQLITE_TRANSIENT);
}

// Variadic, which Swift does not import.
static inline int chat_stop_counting_memory(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
