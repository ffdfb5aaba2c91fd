/* A bare epoll server, which shows what the kernel allows.
 *
 * It does the handshake, and the events `authenticate`, `join_room` and `send_message` of the raw framing as far as the load generator sends
 * them. It writes events of the same length as the service's, gathers what one turn brings for a room, and writes it to each member in one
 * call. It checks nothing and stores nothing. A request without an upgrade gets the content of FILE, for the floor of REST.
 *
 *     floor PORT [FILE]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"

enum { MOST_ROOMS = 4096, READ_BYTES = 1 << 20, ID_BYTES = 16 };

typedef struct {
    int fd, room, place; /* its place among the room's members */
    bool is_upgraded, is_waiting_to_write;
    char user[ID_BYTES], name[ID_BYTES];
    Buffer unread, unsent;
    uint32_t sent; /* of `unsent` */
} Connection;

typedef struct {
    Connection **members;
    int count, capacity;
    uint64_t sequence;
    Buffer events;
} Room;

static Room rooms[MOST_ROOMS];
static int touched_rooms[MOST_ROOMS], touched_count;
static char input[READ_BYTES];
static int queue;
static Buffer document;

static void watch(Connection *connection, int operation, bool for_writing) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(queue, operation, connection->fd, &event);
    connection->is_waiting_to_write = for_writing;
}

static void write_bytes(Connection *connection, const char *bytes, size_t count) {
    if (!connection->unsent.count) {
        ssize_t written = send(connection->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (written == (ssize_t)count) return;
        if (written < 0 && errno != EAGAIN) return;
        bytes += written < 0 ? 0 : written;
        count -= written < 0 ? 0 : (size_t)written;
    }
    buffer_append(&connection->unsent, bytes, count);
    if (!connection->is_waiting_to_write) watch(connection, EPOLL_CTL_MOD, true);
}

static void write_waiting(Connection *connection) {
    Buffer *unsent = &connection->unsent;
    ssize_t written =
        send(connection->fd, unsent->bytes + connection->sent, unsent->count - connection->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written > 0) connection->sent += (uint32_t)written;
    if (connection->sent < unsent->count) return;
    buffer_free(unsent);
    connection->sent = 0;
    watch(connection, EPOLL_CTL_MOD, false);
}

static void write_event(Connection *connection, const char *text) {
    char frame[256];
    size_t count = strlen(text), head = frame_head((unsigned char *)frame, TEXT, count, false);
    memcpy(frame + head, text, count);
    write_bytes(connection, frame, head + count);
}

/* Copies the text that follows `key`, up to the next quotation mark. */
static void read_field(const char *bytes, size_t count, const char *key, char field[ID_BYTES]) {
    const char *from = memmem(bytes, count, key, strlen(key)), *end = bytes + count;
    size_t length = 0;
    if (from)
        for (from += strlen(key); from < end && *from != '"' && length + 1 < ID_BYTES;) field[length++] = *from++;
    field[length] = 0;
}

static int room_number(const char *id) { return abs(atoi(id + (*id == 'r'))) % MOST_ROOMS; }

static void leave(Connection *connection) {
    if (connection->room < 0) return;
    Room *room = &rooms[connection->room];
    Connection *last = room->members[--room->count];
    room->members[connection->place] = last;
    last->place = connection->place;
    connection->room = -1;
}

static void join(Connection *connection, int number) {
    leave(connection);
    Room *room = &rooms[number];
    if (room->count == room->capacity) {
        room->capacity = room->capacity ? room->capacity * 2 : 8;
        room->members = realloc(room->members, (size_t)room->capacity * sizeof *room->members);
    }
    connection->room = number;
    connection->place = room->count;
    room->members[room->count++] = connection;
}

static void broadcast(Connection *connection, const char *text, size_t count) {
    static const char key[] = "\"message\":\"";
    const char *message = memmem(text, count, key, sizeof key - 1);
    if (!message || connection->room < 0) return;
    message += sizeof key - 1;
    const char *end = memchr(message, '"', count - (size_t)(message - text));
    if (!end) return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    static char event[READ_BYTES];
    Room *room = &rooms[connection->room];
    int length = snprintf(
        event, sizeof event,
        "{\"event\":\"new_message\",\"data\":{\"messageId\":\"%024llx\",\"seq\":%llu,\"roomId\":\"r%d\",\"userId\":\"%s\","
        "\"username\":\"%s\",\"message\":\"%.*s\",\"messageType\":\"text\",\"timestamp\":%lld}}",
        (unsigned long long)room->sequence, (unsigned long long)room->sequence, connection->room, connection->user, connection->name,
        (int)(end - message), message, (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    room->sequence++;
    unsigned char head[LONGEST_HEAD];
    if (!room->events.count) touched_rooms[touched_count++] = connection->room;
    buffer_append(&room->events, head, frame_head(head, TEXT, (size_t)length, false));
    buffer_append(&room->events, event, (size_t)length);
}

static void receive_event(Connection *connection, const char *text, size_t count) {
    static const char start[] = "{\"event\":\"";
    char room[ID_BYTES];
    if (count < sizeof start || memcmp(text, start, sizeof start - 1)) return;
    switch (text[sizeof start - 1]) {
    case 'a':
        read_field(text, count, "\"userId\":\"", connection->user);
        read_field(text, count, "\"username\":\"", connection->name);
        write_event(connection, "{\"event\":\"authenticated\",\"data\":{}}");
        break;
    case 'j':
        read_field(text, count, "\"roomId\":\"", room);
        join(connection, room_number(room));
        write_event(connection, "{\"event\":\"room_state\",\"data\":{}}");
        break;
    case 's': broadcast(connection, text, count); break;
    }
}

static void upgrade(Connection *connection, const char *key) {
    char text[64], accept[64], answer[256];
    unsigned char digest[SHA_DIGEST_LENGTH];
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((unsigned char *)text, strlen(text), digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
    int length = snprintf(
        answer, sizeof answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    write_bytes(connection, answer, (size_t)length);
    connection->is_upgraded = true;
}

/* Takes one request from the start; how many bytes it had, 0 when it is not whole. */
static size_t receive_request(Connection *connection, char *bytes, size_t count) {
    static const char field[] = "Sec-WebSocket-Key: ";
    char *end = memmem(bytes, count, "\r\n\r\n", 4);
    if (!end) return 0;
    char *key = memmem(bytes, (size_t)(end - bytes), field, sizeof field - 1);
    if (key)
        upgrade(connection, key + sizeof field - 1);
    else
        write_bytes(connection, document.bytes, document.count);
    return (size_t)(end - bytes) + 4;
}

static void end(Connection *connection) {
    leave(connection);
    close(connection->fd);
    buffer_free(&connection->unread);
    buffer_free(&connection->unsent);
    free(connection);
}

static void receive(Connection *connection) {
    size_t count = connection->unread.count, taken = 0;
    if (count) memcpy(input, connection->unread.bytes, count);
    ssize_t got = recv(connection->fd, input + count, sizeof input - count, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(connection);
    count += (size_t)got;
    while (!connection->is_upgraded) {
        size_t length = receive_request(connection, input + taken, count - taken);
        if (!length) break;
        taken += length;
    }
    while (connection->is_upgraded) {
        Frame frame;
        int found = frame_read(&frame, input + taken, count - taken);
        if (found < 0 || (found && frame.opcode == CLOSE)) return end(connection);
        if (!found) break;
        taken += frame.whole;
        if (frame.opcode == TEXT) receive_event(connection, frame.payload, frame.count);
    }
    buffer_free(&connection->unread);
    if (taken < count) buffer_append(&connection->unread, input + taken, count - taken);
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        Connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        connection->room = -1;
        watch(connection, EPOLL_CTL_ADD, false);
    }
}

static void flush_rooms(void) {
    for (int at = 0; at < touched_count; at++) {
        Room *room = &rooms[touched_rooms[at]];
        for (int member = 0; member < room->count; member++)
            write_bytes(room->members[member], room->events.bytes, room->events.count);
        room->events.count = 0;
    }
    touched_count = 0;
}

static void read_document(const char *path) {
    FILE *file = fopen(path, "rb");
    static char body[READ_BYTES];
    size_t count = file ? fread(body, 1, sizeof body, file) : 0;
    char head[128];
    int length = snprintf(
        head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", count);
    buffer_append(&document, head, (size_t)length);
    buffer_append(&document, body, count);
    if (file) fclose(file);
}

int main(int count, char **arguments) {
    if (count < 2) return 64;
    if (count > 2) read_document(arguments[2]);
    signal(SIGPIPE, SIG_IGN);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("floor");
        return 1;
    }
    queue = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[512];
        int ready = epoll_wait(queue, events, 512, -1);
        for (int at = 0; at < ready; at++) {
            Connection *connection = events[at].data.ptr;
            if (!connection) {
                accept_all(listener);
                continue;
            }
            if (events[at].events & EPOLLOUT) write_waiting(connection);
            if (events[at].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(connection);
        }
        flush_rooms();
    }
}
