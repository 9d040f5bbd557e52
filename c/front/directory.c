#define _GNU_SOURCE
#include "directory.h"

#include <fcntl.h>

#include "syscall.h"
#include "text.h"

#define ENTRIES_ROOM 4096

int visit_all(long at, const char *path, visit each, void *data) {
  uint64_t room[ENTRIES_ROOM / sizeof(uint64_t)];
  long fd = sys4(SYS_OPENAT, at, (long)path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), n;
  int go_on = fd >= 0;
  while (go_on && (n = sys3(SYS_GETDENTS64, fd, (long)room, sizeof room)) != 0) {
    go_on = n > 0;
    for (long done = 0; go_on && done < n;) {
      const struct entry *entry = (const struct entry *)((char *)room + done);
      if (!is_same(entry->name, ".") && !is_same(entry->name, ".."))
        go_on = each(fd, entry, data);
      done += entry->length;
    }
  }
  if (fd >= 0)
    sys1(SYS_CLOSE, fd);
  return go_on;
}
