/* The working directory. */
#define _GNU_SOURCE 1
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define DIRECTORY_MODE 0755

/*
 * A directory that was opened outside the root filesystem, and entered through a descriptor, shows
 * as "(unreachable)…" or as removed: from there `..` leads to the host (CVE-2024-21626).
 * getcwd(2) itself is asked, for libraries hide what it says.
 */
static int check_inside(struct init *in, const char *path) {
  char cwd[PATH_MAX + 1] = "";
  long length = RETRY(syscall(SYS_getcwd, cwd, sizeof cwd - 1));
  if (length > 0 && cwd[0] == '/')
    return 0;
  if (length < 0 && length != -ENOENT)
    return fail_at(in, (int)length, "find out the working directory \"%s\"", path);
  return fail_at(in, NO_ERRNO, "the working directory \"%s\" lies outside the root filesystem",
                 path);
}

/* The program's umask may be in force by now. */
static int make_directory(const char *path) {
  mode_t mask = umask(0);
  int error = mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST ? 0 : -errno;
  umask(mask);
  return error;
}

static int make_directories(const char *path) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof part)
    return -ENAMETOOLONG;
  memcpy(part, path, length + 1);
  for (size_t i = 1; i <= length; i++) {
    if (part[i] != '/' && part[i] != '\0')
      continue;
    part[i] = '\0';
    int error = make_directory(part);
    if (error != 0)
      return error;
    if (i < length)
      part[i] = '/';
  }
  return 0;
}

int op_chdir(struct init *in, const union field *f) {
  const char *path = f[0].text;
  bool tolerate = f[1].u32 == 1, create = f[2].u32 == 1;
  if (in->chdir_done)
    return 0;
  long error = RETRY(chdir(path));
  if (error == -ENOENT && create) {
    int made = make_directories(path);
    error = made == 0 ? RETRY(chdir(path)) : made;
  }
  if (error == 0) {
    in->chdir_done = true;
    return check_inside(in, path);
  }
  if (tolerate)
    return 0;
  char element[PATH_MAX];
  path_refusal(path, element);
  return *element ? fail_at(in, (int)error, "enter \"%s\": \"%s\"", path, element)
                  : fail_at(in, (int)error, "enter \"%s\"", path);
}
