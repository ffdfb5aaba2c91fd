#pragma once
/// The C library's allocator, beyond what all systems have.
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/// Gives memory that the allocator keeps free back to the system, where it can be told to.
static inline void callocator_release_unused(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
