#define _GNU_SOURCE 1
#include "memory.h"

#include <errno.h>
#include <sys/mman.h>

int32_t rts_drop_pages(uint64_t start, uint64_t length) {
  return madvise((void *)(uintptr_t)start, (size_t)length, MADV_DONTNEED) == 0 ? 0 : -errno;
}
