/* Which part of a path refuses, and finding the program. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "init.h"

/* May it be executed or entered, with the ids and capabilities that an exec would count? */
static int check_access(const char *path) {
  long error = RETRY(syscall(NR_FACCESSAT2, AT_FDCWD, path, X_OK, AT_EACCESS));
  if (error == -ENOSYS || error == -EPERM)
    error = RETRY(access(path, X_OK));
  return (int)error;
}

int path_refusal(const char *path, char *out) {
  out[0] = '\0';
  if (strlen(path) >= PATH_MAX)
    return -ENAMETOOLONG;
  for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, path, length);
    out[length] = '\0';
    struct stat file;
    if (RETRY(stat(out, &file)) != 0)
      return -errno;
    if (!S_ISDIR(file.st_mode))
      return -ENOTDIR;
    int error = check_access(out);
    if (error != 0)
      return error;
  }
  out[0] = '\0';
  return 0;
}

/* 0 if the file can be executed as far as permissions tell. */
static int check_program(const char *path) {
  struct stat file;
  long error = RETRY(stat(path, &file));
  if (error < 0)
    return (int)error;
  if (S_ISDIR(file.st_mode))
    return -EISDIR;
  if (!S_ISREG(file.st_mode))
    return -EACCES;
  return check_access(path);
}

/* As execvp(3): a file that refuses is remembered, and the search goes on. */
static int search_program(const char *name, const char *search, char out[PATH_MAX]) {
  char refused[PATH_MAX] = "";
  for (const char *at = search;; at++) {
    size_t length = strcspn(at, ":");
    const char *folder = length > 0 ? at : ".";
    int width = length > 0 ? (int)length : 1;
    int written = snprintf(out, PATH_MAX, "%.*s/%s", width, folder, name);
    int error = written < 0 || written >= PATH_MAX ? -ENAMETOOLONG : check_program(out);
    if (error == 0)
      return 0;
    if (error == -EACCES && !*refused)
      memcpy(refused, out, sizeof refused);
    at += length;
    if (!*at)
      break;
  }
  memcpy(out, refused, sizeof refused);
  return *refused ? -EACCES : -ENOENT;
}

/* Whether the mount refuses to execute anything. */
static bool is_noexec(const char *path) {
  struct statvfs mount;
  return RETRY(statvfs(path, &mount)) == 0 && (mount.f_flag & ST_NOEXEC) != 0;
}

int op_find_program(struct init *in, const union field *f) {
  const char *name = f[0].text, *search = f[1].text;
  char candidate[PATH_MAX], element[PATH_MAX];
  int error;
  if (strlen(name) >= sizeof candidate) {
    error = -ENAMETOOLONG;
    candidate[0] = '\0';
  } else if (*name == '\0' || strchr(name, '/')) {
    memcpy(candidate, name, strlen(name) + 1);
    error = check_program(candidate);
  } else {
    error = search_program(name, search, candidate);
  }
  if (error != 0) {
    path_refusal(candidate, element);
    fail_at(in, error, "find program \"%s\"", name);
    fail_append(in, candidate, strlen(candidate));
    fail_append(in, element, strlen(element));
    if (error == -EACCES && !*element && is_noexec(candidate))
      fail_append(in, "noexec", 6);
    return error;
  }
  free(in->program);
  in->program = strdup(candidate);
  return in->program ? exec_prepare(in) : -ENOMEM;
}
