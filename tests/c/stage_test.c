/*
 * Namespaces, clone, cgroups and what belongs to them. Needs root.
 * links: c/init/decode.c c/init/given.c c/init/sync.c c/init/stage.c c/init/procfs.c c/init/namespace.c c/init/process.c c/init/scheduling.c c/init/identity.c c/init/seccomp.c c/init/hook.c c/init/lookup.c c/init/cwd.c c/init/exec.c c/init/start.c c/init/reap.c c/init/passwd.c c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "../support/c/filter.h"
#include "../support/c/folder.h"
#include "../support/c/init.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define PROC_MAGIC 0x9fa0

static void write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static void writes_a_file_of_the_right_filesystem(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_write_file, "/proc/self/oom_score_adj", "77", (uint64_t)PROC_MAGIC);
  plan_script(&p, "test $(cat /proc/self/oom_score_adj) = 77");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
}

static void refuses_files_that_are_not_what_they_should_be(void) {
  struct plan_bytes p;
  char text[256];
  const char *path = in_folder("file"), *link = in_folder("link");
  write_text(path, "");
  NEED(symlink(path, link) == 0);
  struct statfs fs;
  NEED(statfs(path, &fs) == 0);
  plan_start(&p);
  plan_add(&p, OP_write_file, path, "1", (uint64_t)PROC_MAGIC);
  snprintf(text, sizeof text, "\"%s\" lies on a filesystem of type 0x%llx instead of 0x9fa0", path,
           (unsigned long long)fs.f_type);
  CHECK_FAILS(&p, 0, EINVAL, text);
  plan_start(&p);
  plan_add(&p, OP_write_file, link, "1", (uint64_t)0);
  snprintf(text, sizeof text, "open \"%s\"", link);
  CHECK_FAILS(&p, 0, ELOOP, text);
  plan_start(&p);
  plan_add(&p, OP_write_file, "/proc/self/oom_score_adj", "many", (uint64_t)0);
  CHECK_FAILS(&p, 0, EINVAL, "write \"many\" to \"/proc/self/oom_score_adj\"");
  unlink(link);
  unlink(path);
}

static void names_what_a_namespace_file_is(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_setsid);
  plan_add(&p, OP_open_ns, 0u, (uint32_t)CLONE_NEWPID, "/proc/self/ns/net");
  CHECK_FAILS(&p, 1, EINVAL, "\"/proc/self/ns/net\" is a network namespace, not a pid namespace");
  plan_start(&p);
  plan_add(&p, OP_open_ns, 0u, (uint32_t)CLONE_NEWPID, "/etc/passwd");
  CHECK_FAILS(&p, 0, EINVAL, "\"/etc/passwd\" is not a namespace file");
  plan_start(&p);
  plan_add(&p, OP_open_ns, 0u, (uint32_t)CLONE_NEWPID, "/nonexistent/pid");
  CHECK_FAILS(&p, 0, ENOENT, "open \"/nonexistent/pid\"");
  const char *fifo = in_folder("fifo");
  char text[128];
  NEED(mkfifo(fifo, 0600) == 0);
  plan_start(&p);
  plan_add(&p, OP_open_ns, 0u, (uint32_t)CLONE_NEWNET, fifo);
  snprintf(text, sizeof text, "\"%s\" is not a namespace file", fifo);
  CHECK_FAILS(&p, 0, EINVAL, text);
  unlink(fifo);
}

/* A process with a host name and a network of its own; it ends with the test. */
static pid_t start_target(void) {
  int ends[2];
  char byte;
  NEED(pipe(ends) == 0);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWUTS | CLONE_NEWNET) != 0 || sethostname("target", 6) != 0)
      _exit(1);
    if (write(ends[1], "", 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  NEED(read(ends[0], &byte, 1) == 1);
  close(ends[0]);
  close(ends[1]);
  return pid;
}

static void end_target(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

static void joins_namespaces_by_path(void) {
  struct plan_bytes p;
  pid_t target = start_target();
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/uts", target);
  plan_start(&p);
  plan_add(&p, OP_open_ns, 3u, (uint32_t)CLONE_NEWUTS, path);
  plan_add(&p, OP_setns, 3u, (uint32_t)CLONE_NEWUTS, 1u);
  plan_add(&p, OP_clone, 0u, -1);
  plan_add(&p, OP_setns, 3u, (uint32_t)CLONE_NEWUTS, 0u); /* joined already: nothing is done */
  plan_script(&p, "test $(cat /proc/sys/kernel/hostname) = target");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  end_target(target);
}

static void joins_namespaces_by_pidfd(void) {
  struct plan_bytes p;
  pid_t target = start_target();
  int pidfd = (int)syscall(SYS_pidfd_open, target, 0);
  NEED(pidfd >= 0);
  plan_start(&p);
  plan_add(&p, OP_setns, 0u, (uint32_t)(CLONE_NEWUTS | CLONE_NEWNET), 0u);
  plan_script(&p, "test $(cat /proc/sys/kernel/hostname) = target;"
                  "! grep -q 127.0.0.1 /proc/net/fib_trie");
  CHECK_NUMBER(init_run(&p, &pidfd, 1), 0);
  plan_start(&p);
  plan_add(&p, OP_setns, 1u, (uint32_t)CLONE_NEWUTS, 0u);
  CHECK_FAILS(&p, 0, EBADF, "join uts namespace: slot 1 is empty");
  close(pidfd);
  end_target(target);
}

static void a_deferred_join_is_tried_again(void) {
  struct plan_bytes p;
  int slot = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  NEED(slot >= 0);
  plan_start(&p);
  plan_add(&p, OP_set_ids, 65534u, 65534u, 0u, NULL, 0u);
  plan_add(&p, OP_setns, 0u, (uint32_t)CLONE_NEWUTS, 1u);
  plan_add(&p, OP_setns, 0u, (uint32_t)CLONE_NEWUTS, 0u);
  CHECK_NUMBER(init_run(&p, &slot, 1), 1);
  CHECK_NUMBER(record.header.op, 2);
  CHECK_NUMBER(record.header.error, EPERM);
  CHECK_TEXT(record.detail, "join uts namespace");
  plan_start(&p);
  plan_add(&p, OP_set_ids, 65534u, 65534u, 0u, NULL, 0u);
  plan_add(&p, OP_unshare, (uint32_t)(CLONE_NEWUTS | CLONE_NEWNET));
  CHECK_FAILS(&p, 1, EPERM, "make new namespaces: network, uts");
  close(slot);
}

static void sets_up_new_namespaces(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_unshare, (uint32_t)(CLONE_NEWUTS | CLONE_NEWNET));
  plan_add(&p, OP_clone, (uint32_t)CLONE_NEWPID, -1);
  plan_add(&p, OP_setsid);
  plan_add(&p, OP_loopback_up);
  plan_add(&p, OP_hostname, "inside");
  plan_add(&p, OP_domainname, "example.org");
  plan_script(&p, "test $$ = 1; read host </proc/sys/kernel/hostname; test $host = inside;"
                  "test $(cat /proc/sys/kernel/domainname) = example.org;"
                  "grep -q 127.0.0.1 /proc/net/fib_trie");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  char name[72];
  memset(name, 'x', 65);
  name[65] = '\0';
  char text[128];
  snprintf(text, sizeof text, "set the host name to \"%s\"", name);
  plan_start(&p);
  plan_add(&p, OP_unshare, (uint32_t)CLONE_NEWUTS);
  plan_add(&p, OP_hostname, name);
  CHECK_FAILS(&p, 1, EINVAL, text);
}

/* The time namespace is made, and its offsets written, from inside the new user namespace. */
static void clones_twice_for_user_and_time(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_clone, (uint32_t)CLONE_NEWUSER, -1);
  plan_add(&p, OP_sync, (uint32_t)SYNC_MAPS);
  plan_add(&p, OP_unshare, (uint32_t)CLONE_NEWTIME);
  plan_add(&p, OP_write_file, "/proc/self/timens_offsets", "monotonic 1000 0\n",
           (uint64_t)PROC_MAGIC);
  plan_add(&p, OP_clone, (uint32_t)(CLONE_NEWPID | CLONE_NEWNS), -1);
  plan_add(&p, OP_set_ids, 0u, 0u, 0u, NULL, 0u);
  plan_add(&p, OP_sync, (uint32_t)SYNC_NAMESPACES);
  plan_script(&p, "test $$ = 1; test $(id -u) = 0");
  struct conversation c = init_start(&p, NO_SLOTS, false);
  CHECK_NUMBER(init_receive(&c), SYNC_MAPS);
  pid_t middle = c.newest;
  char path[64];
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", middle, i ? "uid_map" : "gid_map");
    write_text(path, "0 100000 1000");
  }
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), SYNC_NAMESPACES);
  CHECK(c.newest != middle);
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(wait_for(middle), 0);
  CHECK_NUMBER(init_end(&c), 0);
}

/* The name of a new cgroup below a cgroup2 mount that only this test sees. */
static const char *make_cgroup(void) {
  const char *mount_point = in_folder("cgroup");
  static char path[160];
  NEED(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  mkdir(mount_point, 0755);
  NEED(mount("cgroup2", mount_point, "cgroup2", 0, NULL) == 0);
  snprintf(path, sizeof path, "%s/runts-test-%d", mount_point, (int)getpid());
  NEED(mkdir(path, 0755) == 0);
  return path;
}

static void remove_cgroup(const char *path) {
  for (int i = 0; i < 1000 && rmdir(path) != 0; i++)
    usleep(1000);
  CHECK(access(path, F_OK) != 0);
  umount2(in_folder("cgroup"), MNT_DETACH);
  rmdir(in_folder("cgroup"));
}

static char cgroup_script[256];
static int cgroup_slots[2]; /* the directory, its cgroup.procs */

static void is_born_in_a_cgroup(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_clone, (uint32_t)CLONE_NEWUTS, 0);
  plan_script(&p, cgroup_script);
  CHECK_NUMBER(init_run(&p, cgroup_slots, 2), 0);
}

static void is_born_in_or_joins_a_cgroup(void) {
  struct plan_bytes p;
  const char *path = make_cgroup();
  char procs[192];
  snprintf(cgroup_script, sizeof cgroup_script, "grep -q '^0::.*/runts-test-%d$' /proc/self/cgroup",
           (int)getpid());
  snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
  cgroup_slots[0] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cgroup_slots[1] = open(procs, O_WRONLY | O_CLOEXEC);
  NEED(cgroup_slots[0] >= 0 && cgroup_slots[1] >= 0);

  is_born_in_a_cgroup();
  without_call(SYS_clone3, is_born_in_a_cgroup);

  plan_start(&p);
  plan_add(&p, OP_join_cgroup, 1u);
  plan_script(&p, cgroup_script);
  CHECK_NUMBER(init_run(&p, cgroup_slots, 2), 0);

  plan_start(&p);
  plan_add(&p, OP_clone, 0u, 2);
  CHECK_FAILS(&p, 0, EBADF, "slot 2 is empty");
  close(cgroup_slots[0]);
  close(cgroup_slots[1]);
  remove_cgroup(path);
}

static void dumpable_is_set(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_dumpable, 0u);
  plan_add(&p, OP_sync, (uint32_t)SYNC_READY);
  struct conversation c = init_start(&p, NO_SLOTS, false);
  CHECK_NUMBER(init_receive(&c), SYNC_READY);
  char path[64];
  struct stat file;
  snprintf(path, sizeof path, "/proc/%d/environ", c.first);
  CHECK(stat(path, &file) == 0 && file.st_uid == 0);
  init_go(&c);
  CHECK_NUMBER(init_end(&c), 0);
  plan_start(&p);
  plan_add(&p, OP_dumpable, 7u);
  CHECK_FAILS(&p, 0, EINVAL, "make the process dumpable");
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(writes_a_file_of_the_right_filesystem),
      TEST(refuses_files_that_are_not_what_they_should_be),
      TEST(names_what_a_namespace_file_is),
      TEST(joins_namespaces_by_path),
      TEST(joins_namespaces_by_pidfd),
      TEST(a_deferred_join_is_tried_again),
      TEST(sets_up_new_namespaces),
      TEST(clones_twice_for_user_and_time),
      TEST(dumpable_is_set),
      TEST(is_born_in_or_joins_a_cgroup),
  };
  NEED(geteuid() == 0 && mkdtemp(folder));
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  rmdir(folder);
  return status;
}
