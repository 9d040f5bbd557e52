/* A folder for the files of a test program, which makes it by mkdtemp and removes it. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include <stdio.h>

static char folder[] = "/tmp/runts-c-test.XXXXXX";

/* A path in the test's folder; several can be in use at a time. */
static inline const char *in_folder(const char *name) {
  static char paths[4][128];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof *paths, "%s/%s", folder, name);
  return path;
}

#endif
