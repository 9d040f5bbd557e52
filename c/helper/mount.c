/* Taking mounts away. */
#define _GNU_SOURCE 1
#include "mount.h"

#include <errno.h>
#include <sys/mount.h>

int32_t rts_detach(const char *path) {
  return RETRY(umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW));
}
