#pragma once
/// libuv, and the few socket calls whose names or flags differ between systems or are not importable.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#ifdef __linux__
#include <sys/eventfd.h>
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif

static inline int cuv_prepare_descriptor(int fd) {
    int flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -1;
#ifdef SO_NOSIGPIPE
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
#endif
    return 0;
}

/// A non-blocking TCP socket with that address; -1 with errno set. With `shared`, several may listen on one port where the
/// system spreads connections over them.
static inline int cuv_bind(const struct sockaddr *address, socklen_t length, int shared) {
    int fd = socket(address->sa_family, SOCK_STREAM, 0), one = 1, zero = 0;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
#ifdef __linux__
    if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
#else
    (void)shared;
#endif
    if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (cuv_prepare_descriptor(fd) < 0 || bind(fd, address, length) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/// As cuv_bind, listening.
static inline int cuv_listen(const struct sockaddr *address, socklen_t length, int backlog, int shared) {
    int fd = cuv_bind(address, length, shared);
    if (fd >= 0 && listen(fd, backlog) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/// The next queued connection, non-blocking and without Nagle's delay; -1 with errno set.
static inline int cuv_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    int one = 1;
#ifdef __linux__
    int fd = accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return -1;
#else
    int fd = accept(listener, (struct sockaddr *)peer, &length);
    if (fd < 0) return -1;
    if (cuv_prepare_descriptor(fd) < 0) { close(fd); return -1; }
#endif
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/// A non-blocking TCP socket on its way to `address`, without Nagle's delay; -1 with errno set. It is writable once the
/// outcome is known.
static inline int cuv_connect(const struct sockaddr *address, socklen_t length) {
    int fd = socket(address->sa_family, SOCK_STREAM, 0), one = 1;
    if (fd < 0) return -1;
    if (cuv_prepare_descriptor(fd) < 0 || (connect(fd, address, length) < 0 && errno != EINPROGRESS)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/// What went wrong on the socket since this was last asked, 0 for nothing.
static inline int cuv_take_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

static inline ssize_t cuv_send(int fd, const void *bytes, size_t count) {
#ifdef MSG_NOSIGNAL
    return send(fd, bytes, count, MSG_NOSIGNAL);
#else
    return send(fd, bytes, count, 0);
#endif
}

static inline int cuv_local_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) return -1;
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static inline int cuv_is_shared_listening_supported(void) {
#ifdef __linux__
    return 1;
#else
    return 0;
#endif
}

static inline void *cuv_get_data(const void *handle) { return uv_handle_get_data((const uv_handle_t *)handle); }

/// Two ends of what wakes a loop: one to read, one to write. On Linux they are one descriptor. -1 with errno set.
static inline int cuv_open_wakeup(int *reading, int *writing) {
#ifdef __linux__
    *reading = *writing = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return *reading < 0 ? -1 : 0;
#else
    int ends[2];
    if (pipe(ends) < 0) return -1;
    *reading = ends[0];
    *writing = ends[1];
    return cuv_prepare_descriptor(ends[0]) < 0 || cuv_prepare_descriptor(ends[1]) < 0 ? -1 : 0;
#endif
}

/// Makes the reading end readable. Where the system takes no more, it is readable already.
static inline void cuv_wake(int writing) {
    uint64_t one = 1;
    while (write(writing, &one, sizeof one) < 0 && errno == EINTR) {}
}

/// Takes what made the reading end readable.
static inline void cuv_take_wakeups(int reading) {
    uint64_t space[128];
    while (read(reading, space, sizeof space) < 0 && errno == EINTR) {}
}

/// Names the calling thread, for debuggers and `top`; systems cut it at their own length.
static inline void cuv_name_thread(const char *name) {
#ifdef __linux__
    prctl(PR_SET_NAME, name, 0, 0, 0);
#else
    pthread_setname_np(name);
#endif
}
