#pragma once
/// The calls for sockets, readiness, wake-ups and threads whose names or flags differ between systems or are not importable.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#else
#include <pthread.h>
#include <sys/event.h>
#endif

static inline int csockets_prepare_descriptor(int fd) {
    int flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
#ifdef SO_NOSIGPIPE
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
    return 0;
}

/// A non-blocking TCP socket with that address, without Nagle's delay; -1 with errno set. With `shared`, several may listen on one port where the
/// system spreads connections over them.
static inline int csockets_bind(const struct sockaddr *address, socklen_t length, int shared) {
    int fd = socket(address->sa_family, SOCK_STREAM, 0), one = 1, zero = 0;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
#ifdef __linux__
    if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
#else
    (void)shared;
#endif
    if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (csockets_prepare_descriptor(fd) < 0 || bind(fd, address, length) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/// As csockets_bind, listening.
static inline int csockets_listen(const struct sockaddr *address, socklen_t length, int backlog, int shared) {
    int fd = csockets_bind(address, length, shared);
    if (fd >= 0 && listen(fd, backlog) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/// The next queued connection, non-blocking; -1 with errno set. It takes over that the listener has no Nagle's delay.
static inline int csockets_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
#ifdef __linux__
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int fd = accept(listener, (struct sockaddr *)peer, &length);
    if (fd < 0) return -1;
    if (csockets_prepare_descriptor(fd) < 0) { close(fd); return -1; }
    return fd;
#endif
}

/// A non-blocking TCP socket on its way to `address`, without Nagle's delay; -1 with errno set. It is writable once the
/// outcome is known.
static inline int csockets_connect(const struct sockaddr *address, socklen_t length) {
    int fd = socket(address->sa_family, SOCK_STREAM, 0), one = 1;
    if (fd < 0) return -1;
    if (csockets_prepare_descriptor(fd) < 0 || (connect(fd, address, length) < 0 && errno != EINPROGRESS)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/// What went wrong on the socket since this was last asked, 0 for nothing.
static inline int csockets_take_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

static inline ssize_t csockets_send(int fd, const void *bytes, size_t count) {
#ifdef MSG_NOSIGNAL
    return send(fd, bytes, count, MSG_NOSIGNAL);
#else
    return send(fd, bytes, count, 0);
#endif
}

static inline int csockets_local_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -1;
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static inline int csockets_is_shared_listening_supported(void) {
#ifdef __linux__
    return 1;
#else
    return 0;
#endif
}

enum {
    csockets_readable = 1,
    csockets_writable = 2,
    /// The connection is broken, or both of its directions have ended. Reported whatever is watched.
    csockets_broken = 4,
};

#ifdef __linux__
typedef struct epoll_event csockets_event;

/// A queue of what happens on watched descriptors; -1 with errno set.
static inline int csockets_queue_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

/// Changes what a descriptor is watched for; nothing ends the watch. Its events carry `tag`. -1 with errno set.
static inline int csockets_queue_watch(int queue, int fd, uint32_t tag, int before, int after) {
    struct epoll_event event;
    event.events = (after & csockets_readable ? EPOLLIN : 0) | (after & csockets_writable ? EPOLLOUT : 0);
    event.data.u64 = (uint64_t)tag << 32 | (uint32_t)fd;
    return epoll_ctl(queue, !after ? EPOLL_CTL_DEL : before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

/// Waits until something happens, this long at most, negative for ever. The number of events, 0 after a signal; -1 with errno set.
static inline int csockets_queue_wait(int queue, csockets_event *events, int room, int milliseconds) {
    int count = epoll_wait(queue, events, room, milliseconds);
    return count < 0 && errno == EINTR ? 0 : count;
}

static inline int csockets_event_descriptor(const csockets_event *event) { return (int)(uint32_t)event->data.u64; }

static inline uint32_t csockets_event_tag(const csockets_event *event) { return (uint32_t)(event->data.u64 >> 32); }

static inline int csockets_event_kinds(const csockets_event *event) {
    return (event->events & EPOLLIN ? csockets_readable : 0) | (event->events & EPOLLOUT ? csockets_writable : 0)
        | (event->events & (EPOLLERR | EPOLLHUP) ? csockets_broken : 0);
}
#else
typedef struct kevent csockets_event;

static inline int csockets_queue_open(void) { return kqueue(); }

static inline int csockets_queue_watch(int queue, int fd, uint32_t tag, int before, int after) {
    void *data = (void *)(uintptr_t)tag;
    struct kevent changes[2];
    int count = 0, changed = before ^ after;
    if (changed & csockets_readable) {
        EV_SET(&changes[count++], fd, EVFILT_READ, after & csockets_readable ? EV_ADD : EV_DELETE, 0, 0, data);
    }
    if (changed & csockets_writable) {
        EV_SET(&changes[count++], fd, EVFILT_WRITE, after & csockets_writable ? EV_ADD : EV_DELETE, 0, 0, data);
    }
    return kevent(queue, changes, count, NULL, 0, NULL);
}

static inline int csockets_queue_wait(int queue, csockets_event *events, int room, int milliseconds) {
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    int count = kevent(queue, NULL, 0, events, room, milliseconds < 0 ? NULL : &span);
    return count < 0 && errno == EINTR ? 0 : count;
}

static inline int csockets_event_descriptor(const csockets_event *event) { return (int)event->ident; }

static inline uint32_t csockets_event_tag(const csockets_event *event) { return (uint32_t)(uintptr_t)event->udata; }

static inline int csockets_event_kinds(const csockets_event *event) {
    return event->filter == EVFILT_WRITE ? csockets_writable : csockets_readable;
}
#endif

/// Two ends of what wakes a loop: one to read, one to write. On Linux they are one descriptor. -1 with errno set.
static inline int csockets_open_wakeup(int *reading, int *writing) {
#ifdef __linux__
    *reading = *writing = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return *reading < 0 ? -1 : 0;
#else
    int ends[2];
    if (pipe(ends) < 0) return -1;
    *reading = ends[0];
    *writing = ends[1];
    return csockets_prepare_descriptor(ends[0]) < 0 || csockets_prepare_descriptor(ends[1]) < 0 ? -1 : 0;
#endif
}

/// Makes the reading end readable. Where the system takes no more, it is readable already.
static inline void csockets_wake(int writing) {
    uint64_t one = 1;
    while (write(writing, &one, sizeof one) < 0 && errno == EINTR) {}
}

/// Takes what made the reading end readable.
static inline void csockets_take_wakeups(int reading) {
    uint64_t space[128];
    while (read(reading, space, sizeof space) < 0 && errno == EINTR) {}
}

/// Names the calling thread, for debuggers and `top`; systems cut it at their own length.
static inline void csockets_name_thread(const char *name) {
#ifdef __linux__
    prctl(PR_SET_NAME, name, 0, 0, 0);
#else
    pthread_setname_np(name);
#endif
}
