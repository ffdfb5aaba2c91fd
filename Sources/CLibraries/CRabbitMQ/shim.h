#pragma once
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

// What Swift cannot import: macros that cast, and variadic functions.

static const amqp_method_number_t CHAT_AMQP_METHOD_RETURN = AMQP_BASIC_RETURN_METHOD;
static const amqp_method_number_t CHAT_AMQP_METHOD_ACK = AMQP_BASIC_ACK_METHOD;
static const amqp_method_number_t CHAT_AMQP_METHOD_NACK = AMQP_BASIC_NACK_METHOD;
static const amqp_method_number_t CHAT_AMQP_METHOD_CHANNEL_CLOSE = AMQP_CHANNEL_CLOSE_METHOD;
static const amqp_method_number_t CHAT_AMQP_METHOD_CONNECTION_CLOSE = AMQP_CONNECTION_CLOSE_METHOD;
static const amqp_method_number_t CHAT_AMQP_METHOD_BLOCKED = AMQP_CONNECTION_BLOCKED_METHOD;
static const amqp_method_number_t CHAT_AMQP_METHOD_UNBLOCKED = AMQP_CONNECTION_UNBLOCKED_METHOD;

static const amqp_flags_t CHAT_AMQP_HAS_CONTENT_TYPE = AMQP_BASIC_CONTENT_TYPE_FLAG;
static const amqp_flags_t CHAT_AMQP_HAS_HEADERS = AMQP_BASIC_HEADERS_FLAG;
static const amqp_flags_t CHAT_AMQP_HAS_DELIVERY_MODE = AMQP_BASIC_DELIVERY_MODE_FLAG;
static const amqp_flags_t CHAT_AMQP_HAS_MESSAGE_ID = AMQP_BASIC_MESSAGE_ID_FLAG;
static const amqp_flags_t CHAT_AMQP_HAS_TIMESTAMP = AMQP_BASIC_TIMESTAMP_FLAG;
static const amqp_flags_t CHAT_AMQP_HAS_TYPE = AMQP_BASIC_TYPE_FLAG;
static const amqp_flags_t CHAT_AMQP_HAS_APP_ID = AMQP_BASIC_APP_ID_FLAG;

/// Signs in with user and password (SASL PLAIN); the channel maximum is left to the broker, which is asked to say when it
/// takes no more for a while (connection.blocked).
static inline amqp_rpc_reply_t chat_amqp_login(amqp_connection_state_t connection, const char *virtual_host,
                                               int frame_bytes, int heartbeat_seconds, const char *user,
                                               const char *password) {
    amqp_table_entry_t blocked = {.key = amqp_cstring_bytes("connection.blocked"),
                                  .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}};
    amqp_table_entry_t capabilities = {
        .key = amqp_cstring_bytes("capabilities"),
        .value = {.kind = AMQP_FIELD_KIND_TABLE, .value = {.table = {.num_entries = 1, .entries = &blocked}}}};
    amqp_table_t properties = {.num_entries = 1, .entries = &capabilities};
    return amqp_login_with_properties(connection, virtual_host, 0, frame_bytes, heartbeat_seconds, &properties,
                                      AMQP_SASL_METHOD_PLAIN, user, password);
}

/// Agrees to the broker's closing of a channel, after which the number may be used again.
static inline int chat_amqp_accept_channel_close(amqp_connection_state_t connection, amqp_channel_t channel) {
    amqp_channel_close_ok_t agreed = {0};
    return amqp_send_method(connection, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &agreed);
}
