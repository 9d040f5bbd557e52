/*
 * Waiting for many descriptors with one thread.
 *
 * links: c/helper/waiter.c c/helper/clock.c c/common/retry.c
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/c/test.h"
#include "waiter.h"

#define SIZE 64

static int32_t set[2];
static uint64_t ready[SIZE];

static int32_t wait_ms(int32_t timeout) {
  return rts_waiter_wait(set[0], set[1], ready, SIZE, timeout, 0);
}

static void begin(void) {
  NEED(rts_waiter_make(set) == 0);
  CHECK_NUMBER(fcntl(set[0], F_GETFD), FD_CLOEXEC);
  CHECK_NUMBER(fcntl(set[1], F_GETFD), FD_CLOEXEC);
}

static void end(void) {
  close(set[0]);
  close(set[1]);
}

static void make_pipe(int fds[2]) {
  NEED(pipe2(fds, O_CLOEXEC) == 0);
}

static void close_pipe(int fds[2]) {
  close(fds[0]);
  close(fds[1]);
}

static int open_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void events_name_wait_and_index(void) {
  int before = open_descriptors(), fds[2], copies[3];
  begin();
  make_pipe(fds);
  struct pollfd polled[] = {
      {.fd = -1}, {.fd = set[1], .events = 0}, {.fd = fds[0], .events = POLLIN}};
  CHECK_NUMBER(rts_waiter_add(set[0], polled, 3, 7, copies), 0);
  CHECK_NUMBER(copies[0], -1);
  CHECK(copies[1] > 2 && copies[2] > 2);
  CHECK_NUMBER(fcntl(copies[2], F_GETFD), FD_CLOEXEC);
  CHECK_NUMBER(wait_ms(0), 0);
  CHECK_NUMBER(write(fds[1], "x", 1), 1);
  for (int again = 0; again < 2; again++) {
    CHECK_NUMBER(wait_ms(-1), 1);
    CHECK_NUMBER((long long)ready[0], 2LL << 32 | 7);
  }
  CHECK_NUMBER(rts_waiter_remove(set[0], copies, 3), 0);
  CHECK_NUMBER(wait_ms(0), 0);
  close_pipe(fds);
  end();
  CHECK_NUMBER(open_descriptors(), before);
}

static void what_was_closed_still_counts(void) {
  int fds[2], copy;
  begin();
  make_pipe(fds);
  struct pollfd polled = {.fd = fds[0], .events = POLLIN};
  CHECK_NUMBER(rts_waiter_add(set[0], &polled, 1, 1, &copy), 0);
  close(fds[0]);
  CHECK_NUMBER(write(fds[1], "x", 1), 1);
  CHECK_NUMBER(wait_ms(-1), 1);
  rts_waiter_remove(set[0], &copy, 1);
  CHECK_NUMBER(write(fds[1], "x", 1), -1); /* the copy was the last reader */
  CHECK_NUMBER(errno, EPIPE);
  close(fds[1]);
  end();
}

static void what_is_kept_tells_once_of_what_comes(void) {
  int before = open_descriptors(), fds[2];
  char byte;
  begin();
  make_pipe(fds);
  CHECK_NUMBER(write(fds[1], "x", 1), 1);
  int copy = rts_waiter_keep(set[0], fds[0], 9);
  NEED(copy > 2);
  CHECK_NUMBER(fcntl(copy, F_GETFD), FD_CLOEXEC);
  CHECK_NUMBER(wait_ms(-1), 1);
  CHECK_NUMBER((long long)ready[0], 9);
  CHECK_NUMBER(wait_ms(0), 0); /* though it was not read */
  CHECK_NUMBER(write(fds[1], "x", 1), 1);
  CHECK_NUMBER(wait_ms(-1), 1);
  CHECK_NUMBER(read(fds[0], &byte, 1), 1);
  close(fds[1]);
  CHECK_NUMBER(wait_ms(-1), 1);
  CHECK_NUMBER(rts_waiter_keep(set[0], 9999, 1), -EBADF);
  CHECK_NUMBER(rts_waiter_remove(set[0], &copy, 1), 0);
  close(fds[0]);
  end();
  CHECK_NUMBER(open_descriptors(), before);
}

/* A copy that a child has, too, must not go on giving events once it was removed. */
static void removed_is_removed_though_a_child_has_it(void) {
  int fds[2], hold[2], copy;
  char byte;
  begin();
  make_pipe(fds);
  make_pipe(hold);
  struct pollfd polled = {.fd = fds[0], .events = POLLIN};
  CHECK_NUMBER(rts_waiter_add(set[0], &polled, 1, 1, &copy), 0);
  pid_t child = fork();
  if (child == 0) {
    close(hold[1]);
    _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
  }
  rts_waiter_remove(set[0], &copy, 1);
  CHECK_NUMBER(write(fds[1], "x", 1), 1);
  CHECK_NUMBER(wait_ms(20), 0);
  close_pipe(hold);
  CHECK_NUMBER(waitpid(child, NULL, 0), child);
  close_pipe(fds);
  end();
}

static void a_process_that_has_ended_is_ready(void) {
  int copy;
  begin();
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  int pidfd = (int)syscall(434, child, 0);
  NEED(pidfd >= 0);
  siginfo_t info;
  CHECK_NUMBER(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
  struct pollfd polled = {.fd = pidfd, .events = POLLIN};
  CHECK_NUMBER(rts_waiter_add(set[0], &polled, 1, UINT32_MAX, &copy), 0);
  CHECK_NUMBER(wait_ms(-1), 1);
  CHECK_NUMBER((long long)ready[0], UINT32_MAX);
  rts_waiter_remove(set[0], &copy, 1);
  CHECK_NUMBER(waitpid(child, NULL, 0), child);
  close(pidfd);
  end();
}

static void many_events_come_in_batches(void) {
  int fds[2], copies[200], found = 0;
  static bool seen[200];
  begin();
  make_pipe(fds);
  struct pollfd polled = {.fd = fds[0], .events = POLLIN};
  for (int i = 0; i < 200; i++)
    CHECK_NUMBER(rts_waiter_add(set[0], &polled, 1, (uint32_t)i, &copies[i]), 0);
  CHECK_NUMBER(write(fds[1], "x", 1), 1);
  while (found < 200) {
    int count = wait_ms(1000);
    CHECK(count > 0 && count <= SIZE);
    if (count <= 0)
      break;
    for (int i = 0; i < count; i++) {
      CHECK(ready[i] < 200 && !seen[ready[i]]);
      seen[ready[i]] = true;
      rts_waiter_remove(set[0], &copies[ready[i]], 1);
    }
    found += count;
  }
  CHECK_NUMBER(wait_ms(0), 0);
  CHECK_NUMBER(rts_waiter_wait(set[0], set[1], ready, 1000, 0, 0), 0);
  close_pipe(fds);
  end();
}

static void *wake(void *data) {
  (void)data;
  usleep(1000);
  CHECK_NUMBER(rts_waiter_wake(set[1]), 0);
  return NULL;
}

static void waking_ends_one_wait(void) {
  pthread_t thread;
  begin();
  CHECK_NUMBER(rts_waiter_wake(set[1]), 0);
  CHECK_NUMBER(rts_waiter_wake(set[1]), 0);
  CHECK_NUMBER(wait_ms(-1), 0);
  uint64_t start = clock_ms();
  CHECK_NUMBER(wait_ms(20), 0);
  CHECK(clock_ms() - start >= 20);
  NEED(pthread_create(&thread, NULL, wake, NULL) == 0);
  CHECK_NUMBER(wait_ms(-1), 0);
  pthread_join(thread, NULL);
  end();
}

static void what_cannot_be_added_leaves_nothing(void) {
  int fds[2], copies[2];
  begin();
  make_pipe(fds);
  int before = open_descriptors();
  struct pollfd polled[] = {{.fd = fds[0], .events = POLLIN}, {.fd = 999, .events = POLLIN}};
  CHECK_NUMBER(rts_waiter_add(set[0], polled, 2, 1, copies), -EBADF);
  CHECK_NUMBER(open_descriptors(), before);
  int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  polled[1].fd = file;
  CHECK_NUMBER(rts_waiter_add(set[0], polled, 2, 1, copies), 0);
  CHECK_NUMBER(copies[1], -1);
  rts_waiter_remove(set[0], copies, 2);
  close(file);
  CHECK_NUMBER(open_descriptors(), before);
  CHECK_NUMBER(rts_waiter_wake(-1), -EBADF);
  CHECK_NUMBER(rts_waiter_wait(-1, -1, ready, SIZE, 0, 0), -EBADF);
  close_pipe(fds);
  end();
}

static int table_size(void) {
  char line[128];
  int size = -1;
  FILE *status = fopen("/proc/self/status", "re");
  NEED(status != NULL);
  while (fgets(line, sizeof line, status) != NULL)
    sscanf(line, "FDSize: %d", &size);
  fclose(status);
  return size;
}

static void room_for_descriptors_is_made_within_the_limit(void) {
  struct rlimit limit;
  NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  begin();
  int before = open_descriptors(), size = table_size();
  NEED(size > 0 && (rlim_t)size * 2 < limit.rlim_cur);
  CHECK_NUMBER(rts_waiter_wait(set[0], set[1], ready, SIZE, 0, size * 2), 0);
  CHECK_NUMBER(table_size(), size * 2);
  CHECK_NUMBER(rts_waiter_wait(set[0], set[1], ready, SIZE, 0, (int32_t)limit.rlim_cur + 1), 0);
  CHECK_NUMBER(table_size(), size * 2);
  CHECK_NUMBER(open_descriptors(), before);
  end();
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(events_name_wait_and_index),
      TEST(what_was_closed_still_counts),
      TEST(what_is_kept_tells_once_of_what_comes),
      TEST(removed_is_removed_though_a_child_has_it),
      TEST(a_process_that_has_ended_is_ready),
      TEST(many_events_come_in_batches),
      TEST(waking_ends_one_wait),
      TEST(what_cannot_be_added_leaves_nothing),
      TEST(room_for_descriptors_is_made_within_the_limit),
  };
  signal(SIGPIPE, SIG_IGN);
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
