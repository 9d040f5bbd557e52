/* What all of it shares, and memory that is there only while it is needed. */
#define _GNU_SOURCE 1
#include <sys/mman.h>

#include "monitor.h"

struct monitor the_monitor;
_Alignas(4096) uint8_t scratch[SCRATCH_SIZE];

void *map_memory(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

void unmap_memory(void *memory, size_t size) {
  if (memory)
    munmap(memory, size);
}

/* Its contents are not needed any more: whole pages within it go back. */
void rest_memory(void *memory, size_t size) {
  uintptr_t page = (uintptr_t)getpagesize(), start = ((uintptr_t)memory + page - 1) & ~(page - 1);
  uintptr_t end = ((uintptr_t)memory + size) & ~(page - 1);
  if (start < end)
    madvise((void *)start, end - start, MADV_DONTNEED);
}
