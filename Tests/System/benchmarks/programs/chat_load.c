/* Load for a chat service or for the floor server: one thread opens connections, joins rooms, sends and times each copy that arrives.
 *
 * Connection i is user u<i> in room r<i mod ROOMS>; the first connection of each room sends. A message of an open loop carries the time at
 * which it was due, so a generator or a server that falls behind shows as latency. A closed loop keeps WINDOW messages of each sender on the
 * way. Prints a line of JSON for each run, and ends at the first rate whose p99 is over the limit twice, or that loses copies twice.
 *
 *     chat_load --port P --pid SERVER --connections N --rooms R (--rate X[,Y...] | --window W | --idle) [--seconds S]
 *               [--warm-up S] [--drain S] [--limit-ms M] [--payload BYTES] [--socket-io]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bytes.h"
#include "spans.h"

enum { READ_BYTES = 1 << 20, MOST_OPENING = 128, MOST_RATES = 64, MOST_PAYLOAD = 32768, SEND_BURST = 128 };
/* Begins each message's text, before 19 digits of its time. */
static const char mark[] = "at=";
enum { MARK = 3, DIGITS = 19, STAMP = MARK + DIGITS };

typedef enum { CONNECTING, UPGRADING, HANDSHAKE, AUTHENTICATING, JOINING, READY, CLOSED } Phase;

typedef struct {
    int fd;
    Phase phase;
    bool is_waiting_to_write;
    unsigned in_flight;
    uint64_t received;
    Buffer unread, unsent;
} Connection;

static struct {
    unsigned port, connections, rooms, window, payload;
    int process;
    double rates[MOST_RATES], seconds, warm_up, drain, limit_ms;
    unsigned rate_count;
    bool is_idle, is_socket_io;
} options = {.connections = 1, .rooms = 1, .payload = 100, .seconds = 5, .warm_up = 1, .drain = 5, .limit_ms = 1e9};

/* What one run counts. */
typedef struct {
    Spans latency, lag;
    uint64_t from, until;       /* of the measured span, in ns */
    uint64_t sent, delivered;   /* in the measured span */
    uint64_t owed, arrived;     /* in the whole run */
    uint64_t refused, bytes, reads;
} Run;

static Connection *connections;
static uint64_t *sent_in_room;
static unsigned opened, ready, closed;
static int queue;
static char input[READ_BYTES];
static Run run;

static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("chat_load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static void watch(Connection *connection, int operation, bool for_writing) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.ptr = connection};
    if (epoll_ctl(queue, operation, connection->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
    connection->is_waiting_to_write = for_writing;
}

static void lose(Connection *connection) {
    if (connection->phase == CLOSED) return;
    if (connection->phase != READY) fail("the server ended connection %td while it was opened", connection - connections);
    connection->phase = CLOSED;
    closed++;
    epoll_ctl(queue, EPOLL_CTL_DEL, connection->fd, NULL);
}

static void flush(Connection *connection) {
    Buffer *unsent = &connection->unsent;
    ssize_t written = send(connection->fd, unsent->bytes, unsent->count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return lose(connection);
    if (written > 0) {
        unsent->count -= (uint32_t)written;
        memmove(unsent->bytes, unsent->bytes + written, unsent->count);
    }
    if ((unsent->count > 0) != connection->is_waiting_to_write) watch(connection, EPOLL_CTL_MOD, unsent->count > 0);
    if (!unsent->count) buffer_free(unsent);
}

static void put_text(Connection *connection, const char *text, size_t count) {
    unsigned char head[LONGEST_HEAD];
    buffer_append(&connection->unsent, head, frame_head(head, TEXT, count, true));
    buffer_append(&connection->unsent, text, count);
}

static void put_event(Connection *connection, const char *name, const char *format, ...) {
    char data[MOST_PAYLOAD + 256], text[MOST_PAYLOAD + 512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(data, sizeof data, format, arguments);
    va_end(arguments);
    int count = snprintf(
        text, sizeof text, options.is_socket_io ? "42[\"%s\",%s]" : "{\"event\":\"%s\",\"data\":%s}", name, data);
    put_text(connection, text, (size_t)count);
}

/* Opening */

static void open_next(void) {
    Connection *connection = &connections[opened++];
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(connection, EPOLL_CTL_ADD, true);
}

static void did_connect(Connection *connection) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) fail("connect: %s", strerror(error));
    char request[512];
    int count = snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        options.is_socket_io ? "/socket.io/?EIO=4&transport=websocket" : "/", options.port);
    buffer_append(&connection->unsent, request, (size_t)count);
    connection->phase = UPGRADING;
    flush(connection);
}

static void authenticate(Connection *connection) {
    unsigned number = (unsigned)(connection - connections);
    put_event(connection, "authenticate", "{\"userId\":\"u%u\",\"username\":\"n%u\"}", number, number);
    connection->phase = AUTHENTICATING;
}

/* What a frame of an opening connection leads to. */
static void proceed(Connection *connection, const char *text, size_t count) {
    unsigned number = (unsigned)(connection - connections);
    if (connection->phase == HANDSHAKE && *text == '0') {
        put_text(connection, "40", 2);
    } else if (connection->phase == HANDSHAKE && count > 1 && !memcmp(text, "40", 2)) {
        authenticate(connection);
    } else if (connection->phase == AUTHENTICATING && memmem(text, count, "\"authenticated\"", 15)) {
        put_event(connection, "join_room", "{\"roomId\":\"r%u\"}", number % options.rooms);
        connection->phase = JOINING;
    } else if (connection->phase == JOINING && memmem(text, count, "\"room_state\"", 12)) {
        connection->phase = READY;
        ready++;
        return;
    }
    if (connection->unsent.count) flush(connection);
}

/* Messages */

static void send_message(unsigned sender, uint64_t due) {
    static char text[MOST_PAYLOAD + 1];
    Connection *connection = &connections[sender];
    if (connection->phase == CLOSED) return;
    if (!*text) memset(text, 'x', options.payload);
    char stamp[STAMP + 1];
    snprintf(stamp, sizeof stamp, "%s%019llu", mark, (unsigned long long)due);
    memcpy(text, stamp, STAMP);
    put_event(connection, "send_message", "{\"roomId\":\"r%u\",\"message\":\"%s\"}", sender % options.rooms, text);
    sent_in_room[sender % options.rooms]++;
    run.owed += (options.connections - sender % options.rooms + options.rooms - 1) / options.rooms;
    if (due >= run.from && due < run.until) run.sent++;
}

static void fill_window(unsigned sender, uint64_t now) {
    Connection *connection = &connections[sender];
    if (now >= run.until || connection->phase == CLOSED) return;
    while (connection->in_flight < options.window) {
        send_message(sender, now);
        connection->in_flight++;
    }
    if (connection->unsent.count) flush(connection);
}

/* Whether the frame is a copy of the receiver's own message. */
static bool receive_copy(Connection *connection, const char *text, size_t count, uint64_t now) {
    static size_t usual_place; /* where the last frame had its mark */
    const char *found = usual_place + STAMP <= count && !memcmp(text + usual_place, mark, MARK)
                            ? text + usual_place
                            : memmem(text, count, mark, MARK);
    if (!found || found + STAMP > text + count) {
        if (memmem(text, count, "\"error\"", 7)) run.refused++;
        return false;
    }
    usual_place = (size_t)(found - text);
    uint64_t due = 0;
    for (const char *digit = found + MARK; digit < found + STAMP; digit++) due = due * 10 + (uint64_t)(*digit - '0');
    connection->received++;
    run.arrived++;
    if (now >= run.from && now < run.until) {
        run.delivered++;
        run.bytes += count;
    }
    if (due >= run.from && due < run.until) spans_add(&run.latency, now > due ? now - due : 0);
    if ((unsigned)(connection - connections) >= options.rooms || !connection->in_flight) return false;
    connection->in_flight--;
    return true;
}

/* Whether a place in the sender's window became free. */
static bool receive_frame(Connection *connection, Frame *frame, uint64_t now) {
    if (frame->opcode == CLOSE) {
        lose(connection);
    } else if (frame->opcode == PING || (options.is_socket_io && frame->count == 1 && *frame->payload == '2')) {
        unsigned char head[LONGEST_HEAD];
        bool is_frame = frame->opcode == PING;
        if (!is_frame) *frame->payload = '3';
        buffer_append(&connection->unsent, head, frame_head(head, is_frame ? PONG : TEXT, frame->count, true));
        buffer_append(&connection->unsent, frame->payload, frame->count);
        flush(connection);
    } else if (connection->phase == READY) {
        return receive_copy(connection, frame->payload, frame->count, now);
    } else {
        proceed(connection, frame->payload, frame->count);
    }
    return false;
}

static void receive(Connection *connection) {
    size_t count = connection->unread.count, taken = 0;
    if (count) memcpy(input, connection->unread.bytes, count);
    ssize_t got = recv(connection->fd, input + count, sizeof input - count, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return lose(connection);
    uint64_t now = now_ns();
    if (now >= run.from && now < run.until) run.reads++;
    count += (size_t)got;
    if (connection->phase == UPGRADING) {
        char *end = memmem(input, count, "\r\n\r\n", 4);
        if (end) {
            if (memcmp(input, "HTTP/1.1 101", 12)) fail("not upgraded: %.*s", 60, input);
            taken = (size_t)(end - input) + 4;
            connection->phase = HANDSHAKE;
            if (!options.is_socket_io) authenticate(connection);
            if (connection->unsent.count) flush(connection);
        }
    }
    Frame frame;
    bool is_free = false;
    while (connection->phase > UPGRADING && connection->phase != CLOSED) {
        int found = frame_read(&frame, input + taken, count - taken);
        if (found < 0) fail("a frame of more than 1 MiB");
        if (!found) break;
        taken += frame.whole;
        is_free |= receive_frame(connection, &frame, now);
    }
    buffer_free(&connection->unread);
    if (taken < count) buffer_append(&connection->unread, input + taken, count - taken);
    if (is_free) fill_window((unsigned)(connection - connections), now);
}

/* One turn of the loop, which sleeps until `until` at most. */
static void turn(uint64_t until) {
    struct epoll_event events[512];
    uint64_t now = now_ns(), span = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(span / SECOND), (long)(span % SECOND)};
    int count = epoll_pwait2(queue, events, 512, &timeout, NULL);
    for (int at = 0; at < count; at++) {
        Connection *connection = events[at].data.ptr;
        if (connection->phase == CONNECTING) {
            did_connect(connection);
            continue;
        }
        if (events[at].events & EPOLLOUT && connection->phase != CLOSED) flush(connection);
        if (events[at].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && connection->phase != CLOSED) receive(connection);
    }
}

static void turn_for(double seconds) {
    uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
    while (now_ns() < until) turn(until);
}

/* Runs */

static void open_all(void) {
    uint64_t deadline = now_ns() + 120 * SECOND;
    while (ready < options.connections) {
        while (opened < options.connections && opened - ready < MOST_OPENING) open_next();
        turn(now_ns() + SECOND / 10);
        if (now_ns() > deadline) fail("only %u of %u connections were ready in time", ready, options.connections);
    }
}

static bool print_run(double rate, double span, Usage used, double generator_seconds, double generator_waited) {
    uint64_t missing = 0, repeated = 0;
    for (unsigned number = 0; number < options.connections; number++) {
        uint64_t owed = sent_in_room[number % options.rooms], received = connections[number].received;
        missing += owed > received ? owed - received : 0;
        repeated += received > owed ? received - owed : 0;
    }
    printf(
        "{\"rate\": %.0f, \"window\": %u, \"seconds\": %.3f, \"sent\": %llu, \"delivered\": %llu, \"deliveriesPerSecond\": %.0f, "
        "\"bytesPerDelivery\": %.1f, \"copiesPerRead\": %.2f, \"owed\": %llu, \"missing\": %llu, \"repeated\": %llu, "
        "\"refused\": %llu, \"closed\": %u, ",
        rate, options.window, span, (unsigned long long)run.sent, (unsigned long long)run.delivered, (double)run.delivered / span,
        run.delivered ? (double)run.bytes / (double)run.delivered : 0, run.reads ? (double)run.delivered / (double)run.reads : 0,
        (unsigned long long)run.owed, (unsigned long long)missing, (unsigned long long)repeated, (unsigned long long)run.refused,
        closed);
    spans_print("latencyMs", &run.latency);
    printf(", ");
    spans_print("sendLagMs", &run.lag);
    printf(
        ", \"cpuMicrosecondsPerDelivery\": %.4f, \"serverBusy\": %.3f, \"serverWaited\": %.3f, \"generatorBusy\": %.3f, "
        "\"generatorWaited\": %.3f}\n",
        run.delivered ? used.cpu_seconds * 1e6 / (double)run.delivered : 0, used.cpu_seconds / span, used.wait_seconds / span,
        generator_seconds / span, generator_waited / span);
    fflush(stdout);
    return !missing && !closed && spans_percentile_ms(&run.latency, .99) <= options.limit_ms;
}

/* Messages at a rate, or with a rate of 0 in the senders' windows. Whether all came within the limit. */
static bool run_messages(double rate) {
    memset(&run, 0, sizeof run);
    memset(sent_in_room, 0, options.rooms * sizeof *sent_in_room);
    for (unsigned number = 0; number < options.connections; number++)
        connections[number].received = connections[number].in_flight = 0;
    uint64_t begin = now_ns(), now = begin, due = begin, number = 0, begin_measured = 0;
    run.from = begin + (uint64_t)(options.warm_up * 1e9);
    run.until = run.from + (uint64_t)(options.seconds * 1e9);
    Usage before = {0}, self = {0};
    for (unsigned sender = 0; options.window && sender < options.rooms; sender++) fill_window(sender, now);
    while ((now = now_ns()) < run.until) {
        if (!begin_measured && now >= run.from) {
            before = usage_of(options.process);
            self = usage_of(getpid());
            begin_measured = now;
        }
        for (int count = 0; rate > 0 && due <= now && due < run.until && count < SEND_BURST; count++) {
            unsigned sender = (unsigned)(number % options.rooms);
            send_message(sender, due);
            if (connections[sender].phase != CLOSED) flush(&connections[sender]);
            if (due >= run.from) spans_add(&run.lag, now - due);
            due = begin + (uint64_t)((double)++number * 1e9 / rate);
        }
        uint64_t next = begin_measured ? run.until : run.from;
        turn(rate > 0 && due < next ? due : next);
    }
    Usage after = usage_of(options.process), self_after = usage_of(getpid());
    double span = (double)(now_ns() - begin_measured) / 1e9;
    uint64_t deadline = now_ns() + (uint64_t)(options.drain * 1e9);
    while (run.arrived < run.owed && now_ns() < deadline) turn(now_ns() + SECOND / 20);
    turn_for(0.05); /* a copy too many would come now */
    after.cpu_seconds -= before.cpu_seconds;
    after.wait_seconds -= before.wait_seconds;
    return print_run(rate, span, after, self_after.cpu_seconds - self.cpu_seconds, self_after.wait_seconds - self.wait_seconds);
}

static void run_idle(Usage before, double opening) {
    /* What a server puts off while it is busy is part of the cost. */
    turn_for(0.5);
    Usage there = usage_of(options.process);
    turn_for(options.seconds);
    Usage after = usage_of(options.process);
    double count = options.connections;
    printf(
        "{\"connections\": %u, \"openingSeconds\": %.3f, \"connectMicroseconds\": %.2f, \"bytesPerConnection\": %.1f, "
        "\"idleBusy\": %.4f, \"closed\": %u}\n",
        options.connections, opening, (there.cpu_seconds - before.cpu_seconds) * 1e6 / count,
        (double)(after.memory_bytes - before.memory_bytes) / count, (after.cpu_seconds - there.cpu_seconds) / options.seconds, closed);
}

static void read_options(int count, char **arguments) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'},    {"pid", 1, 0, 'i'},      {"connections", 1, 0, 'c'}, {"rooms", 1, 0, 'r'},    {"rate", 1, 0, 'x'},
        {"window", 1, 0, 'w'},  {"idle", 0, 0, 'e'},     {"seconds", 1, 0, 's'},     {"warm-up", 1, 0, 'u'},  {"drain", 1, 0, 'd'},
        {"limit-ms", 1, 0, 'l'}, {"payload", 1, 0, 'b'}, {"socket-io", 0, 0, 'o'},   {0}};
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        switch (option) {
        case 'p': options.port = (unsigned)atoi(optarg); break;
        case 'i': options.process = atoi(optarg); break;
        case 'c': options.connections = (unsigned)atoi(optarg); break;
        case 'r': options.rooms = (unsigned)atoi(optarg); break;
        case 'w': options.window = (unsigned)atoi(optarg); break;
        case 'e': options.is_idle = true; break;
        case 's': options.seconds = atof(optarg); break;
        case 'u': options.warm_up = atof(optarg); break;
        case 'd': options.drain = atof(optarg); break;
        case 'l': options.limit_ms = atof(optarg); break;
        case 'b': options.payload = (unsigned)atoi(optarg); break;
        case 'o': options.is_socket_io = true; break;
        case 'x':
            for (char *rest = optarg, *each; (each = strsep(&rest, ",")) && options.rate_count < MOST_RATES;)
                options.rates[options.rate_count++] = atof(each);
            break;
        default: exit(64);
        }
    }
    bool is_one_kind = options.is_idle + (options.window > 0) + (options.rate_count > 0) == 1;
    if (!is_one_kind || !options.port || !options.rooms || options.rooms > options.connections || options.payload < STAMP ||
        options.payload > MOST_PAYLOAD)
        fail("--port, --connections >= --rooms, --payload of %d to %d, and one of --rate, --window, --idle", STAMP, MOST_PAYLOAD);
}

int main(int count, char **arguments) {
    read_options(count, arguments);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
    signal(SIGPIPE, SIG_IGN);
    queue = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(options.connections, sizeof *connections);
    sent_in_room = calloc(options.rooms, sizeof *sent_in_room);
    Usage before = usage_of(options.process);
    if (before.cpu_seconds == 0) fail("the kernel does not tell the processor time of process %d in its schedstat", options.process);
    uint64_t begin = now_ns();
    open_all();
    double opening = (double)(now_ns() - begin) / 1e9;
    turn_for(0.5);
    if (options.is_idle) run_idle(before, opening);
    if (options.window) run_messages(0);
    /* The machine's other work can spoil one run, so a rate has two tries. */
    for (unsigned at = 0; at < options.rate_count; at++)
        if (!run_messages(options.rates[at]) && (closed || at + 1 == options.rate_count || !run_messages(options.rates[at]))) break;
    /* A reset leaves no port in TIME_WAIT, of which a run would have thousands. */
    struct linger reset = {1, 0};
    for (unsigned number = 0; number < opened; number++)
        setsockopt(connections[number].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}
