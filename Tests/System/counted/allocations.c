// Counts the allocations of the process that it is preloaded into, by thread, SQLite's apart from all others.
//
// The file that ALLOCATIONS names becomes a table of SLOTS rows, one for each thread that allocates: its id and two counts, each of 64
// bits. Threads past the last row share it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { SLOTS = 64 };
struct row {
    uint64_t thread, others, sqlite;
};

static struct row unmapped[SLOTS];
static struct row *rows = unmapped;
static uint64_t used;
static uintptr_t sqlite_begin, sqlite_end;
static __thread struct row *mine __attribute__((tls_model("initial-exec")));

static int find_sqlite(struct dl_phdr_info *object, size_t size, void *unused) {
    if (strstr(object->dlpi_name, "libsqlite3") == NULL) return 0;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        sqlite_begin = object->dlpi_addr + part->p_vaddr;
        sqlite_end = sqlite_begin + part->p_memsz;
    }
    return 1;
}

// Rows that were counted before are left out: the table begins with the program.
__attribute__((constructor)) static void begin(void) {
    unsetenv("LD_PRELOAD");
    dl_iterate_phdr(find_sqlite, NULL);
    const char *path = getenv("ALLOCATIONS");
    if (path == NULL) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof unmapped) != 0) abort();
    void *map = mmap(NULL, sizeof unmapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map == MAP_FAILED) abort();
    rows = map;
    mine = NULL;
    used = 0;
}

static void count(const void *caller) {
    if (mine == NULL) {
        uint64_t slot = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
        mine = &rows[slot < SLOTS ? slot : SLOTS - 1];
        mine->thread = gettid();
    }
    uintptr_t address = (uintptr_t)caller;
    int is_sqlite = address >= sqlite_begin && address < sqlite_end;
    __atomic_fetch_add(is_sqlite ? &mine->sqlite : &mine->others, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count(__builtin_return_address(0));
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}
