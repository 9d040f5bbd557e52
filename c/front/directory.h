/* Reading directories. */
#ifndef RUNTS_FRONT_DIRECTORY_H
#define RUNTS_FRONT_DIRECTORY_H

#include <stdint.h>

/* struct linux_dirent64 */
struct entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

#define IS_DIRECTORY 4 /* DT_DIR */
#define IS_UNKNOWN 0   /* DT_UNKNOWN */

/* Called for each entry but "." and ".."; 0 ends the walk. */
typedef int (*visit)(long directory, const struct entry *entry, void *data);

/* Whether the directory could be read and every entry was visited. */
int visit_all(long at, const char *path, visit each, void *data);

#endif
