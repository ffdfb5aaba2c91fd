/* The monotonic clock, a histogram of spans, and the processor time and memory of another process. */
#pragma once
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const uint64_t SECOND = 1000000000;

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* 64 buckets for each power of two: a bucket is at most 1.6 % wide. */
enum { BUCKETS_BITS = 6, BUCKETS = 1 << BUCKETS_BITS };

typedef struct {
    uint64_t counts[BUCKETS * 60], total, largest;
} Spans;

static inline unsigned spans_bucket(uint64_t span) {
    if (span < 2 * BUCKETS) return (unsigned)span;
    unsigned shift = 63 - BUCKETS_BITS - (unsigned)__builtin_clzll(span);
    return shift * BUCKETS + (unsigned)(span >> shift);
}

static inline void spans_add(Spans *spans, uint64_t span) {
    spans->counts[spans_bucket(span)]++;
    spans->total++;
    if (span > spans->largest) spans->largest = span;
}

/* The upper edge of the bucket with this share of the spans below it, in milliseconds. */
static inline double spans_percentile_ms(const Spans *spans, double share) {
    uint64_t rank = (uint64_t)(share * (double)spans->total), seen = 0;
    for (unsigned bucket = 0; bucket < sizeof spans->counts / sizeof *spans->counts; bucket++) {
        seen += spans->counts[bucket];
        if (seen <= rank) continue;
        unsigned shift = bucket < 2 * BUCKETS ? 0 : bucket / BUCKETS - 1;
        uint64_t edge = ((uint64_t)bucket - (uint64_t)shift * BUCKETS + 1) << shift;
        return (double)(edge < spans->largest ? edge : spans->largest) / 1e6;
    }
    return (double)spans->largest / 1e6;
}

static inline void spans_print(const char *name, const Spans *spans) {
    printf(
        "\"%s\": {\"p50\": %.4f, \"p90\": %.4f, \"p99\": %.4f, \"max\": %.4f}", name, spans_percentile_ms(spans, .5),
        spans_percentile_ms(spans, .9), spans_percentile_ms(spans, .99), (double)spans->largest / 1e6);
}

typedef struct {
    double cpu_seconds, wait_seconds; /* running, and ready to run but not running; of all threads */
    long memory_bytes;                /* resident */
} Usage;

/* Threads that have ended are not counted: a server's threads live as long as it does. */
static inline Usage usage_of(int process) {
    Usage usage = {0};
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *tasks = opendir(path);
    if (!tasks) return usage;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (*task->d_name == '.') continue;
        unsigned long long running = 0, waiting = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", process, task->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%llu %llu", &running, &waiting) == 2) {
            usage.cpu_seconds += (double)running / 1e9;
            usage.wait_seconds += (double)waiting / 1e9;
        }
        fclose(file);
    }
    closedir(tasks);
    snprintf(path, sizeof path, "/proc/%d/statm", process);
    FILE *file = fopen(path, "r");
    long pages;
    if (file) {
        if (fscanf(file, "%*d %ld", &pages) == 1) usage.memory_bytes = pages * sysconf(_SC_PAGESIZE);
        fclose(file);
    }
    return usage;
}
