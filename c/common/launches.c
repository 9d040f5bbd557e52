/* The memory of children that have not executed init yet. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "launch.h"

/* Mappings that children may have in use. */
static struct launch *launches;

/* Gives back what they have left. */
static void free_launches(void) {
  for (struct launch **at = &launches; *at != NULL;) {
    struct launch *l = *at;
    if (__atomic_load_n(&l->in_use, __ATOMIC_ACQUIRE) != 0) {
      at = &l->next;
      continue;
    }
    *at = l->next;
    munmap(l, sizeof *l);
  }
}

int spawn_init(const struct spawn *spawn, int32_t spawned[SPAWNED_COUNT]) {
  free_launches();
  struct launch *l =
      mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (l == MAP_FAILED)
    return -errno;
  int result = launch_init(l, spawn, spawned);
  l->next = launches;
  launches = l;
  if (result < 0 || spawn->wait)
    free_launches();
  return result;
}
