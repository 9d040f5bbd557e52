/* Hard links: a table of the files that have more names than one. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define FIRST_SIZE 256

struct slot {
  dev_t device;
  ino_t inode;
  char *path; /* NULL: free */
};

struct tree_links {
  struct slot *slots;
  size_t size; /* a power of two */
  size_t count;
};

struct tree_links *tree_links_make(void) {
  struct tree_links *links = calloc(1, sizeof *links);
  if (!links)
    return NULL;
  links->slots = calloc(FIRST_SIZE, sizeof *links->slots);
  links->size = FIRST_SIZE;
  if (links->slots)
    return links;
  free(links);
  return NULL;
}

void tree_links_free(struct tree_links *links) {
  for (size_t i = 0; i < links->size; i++)
    free(links->slots[i].path);
  free(links->slots);
  free(links);
}

/* The slot of a file, or the free one where it belongs. */
static struct slot *slot_of(struct slot *slots, size_t size, dev_t device, ino_t inode) {
  size_t at = (size_t)((inode ^ (device << 7)) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
  for (;; at++) {
    struct slot *slot = &slots[at & (size - 1)];
    if (!slot->path || (slot->device == device && slot->inode == inode))
      return slot;
  }
}

/* At most half of the slots are taken. */
static bool grow(struct tree_links *links) {
  if (links->count * 2 < links->size)
    return true;
  struct slot *slots = calloc(links->size * 2, sizeof *slots);
  if (!slots)
    return false;
  for (size_t i = 0; i < links->size; i++)
    if (links->slots[i].path)
      *slot_of(slots, links->size * 2, links->slots[i].device, links->slots[i].inode) =
          links->slots[i];
  free(links->slots);
  links->slots = slots;
  links->size *= 2;
  return true;
}

const char *tree_links_find(struct tree_links *links, const struct stat *st, const char *path,
                            int *error) {
  *error = 0;
  struct slot *slot = slot_of(links->slots, links->size, st->st_dev, st->st_ino);
  if (slot->path)
    return slot->path;
  char *copy = strdup(path);
  if (!copy || !grow(links)) {
    free(copy);
    *error = -ENOMEM;
    return NULL;
  }
  *slot_of(links->slots, links->size, st->st_dev, st->st_ino) =
      (struct slot){.device = st->st_dev, .inode = st->st_ino, .path = copy};
  links->count++;
  return NULL;
}
