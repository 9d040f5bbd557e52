/* From stage 1 to the container's first process, and what both set on the way. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../common/kernel.h"
#include "../common/stop.h"
#include "init.h"

#define CLONE_FLAG_INTO_CGROUP 0x200000000u /* since Linux 5.7 */
#define SHOWN_MAX 64

/* struct clone_args up to `cgroup` (CLONE_ARGS_SIZE_VER2) */
struct kernel_clone_args {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  uint64_t set_tid, set_tid_size, cgroup;
};

int op_write_file(struct init *in, const union field *f) {
  const char *path = f[0].text, *data = f[1].text;
  uint64_t magic = f[2].u64;
  int fd = procfs_open_to_write(in, path);
  if (fd == -EXDEV)
    return fail_at(in, fd, "open \"%s\": something is mounted over it", path);
  if (fd < 0)
    return fail_at(in, fd, "open \"%s\"", path);
  struct statfs fs;
  int error = 0;
  if (magic != 0 && fstatfs(fd, &fs) != 0)
    error = fail_at(in, -errno, "examine \"%s\"", path);
  else if (magic != 0 && (uint64_t)fs.f_type != magic)
    error = fail_at(in, -EINVAL, "\"%s\" lies on a filesystem of type 0x%llx instead of 0x%llx",
                    path, (unsigned long long)fs.f_type, (unsigned long long)magic);
  else if ((error = write_once(fd, data, strlen(data))) != 0)
    fail_at(in, error, "write \"%.*s\" to \"%s\"", SHOWN_MAX, data, path);
  close(fd);
  return error;
}

static int join_through(int directory) {
  int fd = (int)RETRY(openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (fd < 0)
    return fd;
  int error = write_once(fd, "0", 1);
  close(fd);
  return error;
}

/* The pid, or -errno. `*join` is set if the child still has to enter the cgroup. */
static long clone_child(uint64_t flags, int cgroup, bool *join) {
  struct kernel_clone_args args = {.flags = flags | CLONE_PARENT}; /* so exit_signal must be 0 */
  if (cgroup >= 0) {
    args.flags |= CLONE_FLAG_INTO_CGROUP;
    args.cgroup = (uint64_t)cgroup;
  }
  *join = false;
  long pid = RETRY(syscall(SYS_clone3, &args, sizeof args));
  if (pid != -ENOSYS && pid != -E2BIG)
    return pid;
  if (flags & CLONE_NEWTIME)
    return pid; /* clone(2) has no room for it */
  *join = cgroup >= 0;
  /* Arguments beyond the second are zero, whatever an architecture's order. */
  return RETRY(syscall(SYS_clone, flags | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
}

/* The child goes on once runts has been told of it, and ends if that is not to be. */
static void await_parent(int gate[2]) {
  char byte;
  STOP("@cloned");
  close(gate[1]);
  if (RETRY(read(gate[0], &byte, 1)) != 1)
    end_process(1);
  close(gate[0]);
}

/*
 * Ends stage 1. The child is reported before it can send anything itself; if runts is gone,
 * sync_send ends this process and the gate closes without a byte.
 */
static _Noreturn void leave_to_child(struct init *in, long pid, int gate[2]) {
  close(gate[0]);
  if (sync_send(in, SYNC_PID, 0, (uint64_t)pid, NULL, 0) != 0)
    end_process(1);
  STOP("@told");
  signal(SIGPIPE, SIG_IGN); /* runts names what ended the child, not what that did to us */
  end_process(RETRY(write(gate[1], "", 1)) == 1 ? 0 : 1);
}

int op_clone(struct init *in, const union field *f) {
  uint32_t flags = f[0].u32 & ~in->namespaces;
  int slot = f[1].i32, cgroup = -1;
  if (slot >= 0 && (cgroup = slot_awaited(in, (uint32_t)slot)) < 0)
    return cgroup;
  int gate[2];
  bool join;
  if (pipe2(gate, O_CLOEXEC) != 0)
    return fail_at(in, -errno, "make a pipe");
  /* The parent may be gone, and with it what /proc has of it, before the child looks. */
  int proc = in->self >= 0 ? root_of_self(in) : -1;
  long pid = clone_child(flags, cgroup, &join);
  if (pid > 0)
    leave_to_child(in, pid, gate);
  if (pid < 0) {
    close(gate[0]);
    close(gate[1]);
    char names[64];
    namespace_names(flags, names, sizeof names);
    return fail_at(in, (int)pid, flags ? "make new namespaces: %s" : "make a process%s", names);
  }
  await_parent(gate);
  if (proc >= 0)
    self_open_in(in, proc);
  else
    self_open(in);
  if (!join)
    return 0;
  int error = join_through(cgroup);
  return error == 0 ? 0 : fail_at(in, error, "join the cgroup");
}

int op_join_cgroup(struct init *in, const union field *f) {
  int fd = slot_awaited(in, f[0].u32);
  if (fd < 0)
    return fd;
  int error = write_once(fd, "0", 1);
  close(fd);
  in->slots[f[0].u32] = -1;
  return error == 0 ? 0 : fail_at(in, error, "join the cgroup");
}

int op_sync(struct init *in, const union field *f) {
  if (f[0].u32 == SYNC_READY)
    init_end_by_signals();
  int error = sync_send(in, (int)f[0].u32, 0, 0, NULL, 0);
  if (error != 0)
    return fail_at(in, error, "send message %u", f[0].u32);
  error = sync_wait_go(in);
  /* runts does not listen any more; a record that it does not take would end init. */
  if (f[0].u32 == SYNC_READY)
    in->trace = false;
  return error;
}

int op_tell(struct init *in, const union field *f) {
  int error = sync_send(in, (int)f[0].u32, 0, 0, NULL, 0);
  return error == 0 ? 0 : fail_at(in, error, "send message %u", f[0].u32);
}

int op_setsid(struct init *in, const union field *f) {
  (void)f;
  return setsid() >= 0 ? 0 : fail_at(in, -errno, "make a session");
}

int op_hostname(struct init *in, const union field *f) {
  if (sethostname(f[0].text, strlen(f[0].text)) == 0)
    return 0;
  return fail_at(in, -errno, "set the host name to \"%s\"", f[0].text);
}

int op_domainname(struct init *in, const union field *f) {
  if (setdomainname(f[0].text, strlen(f[0].text)) == 0)
    return 0;
  return fail_at(in, -errno, "set the domain name to \"%s\"", f[0].text);
}

int op_loopback_up(struct init *in, const union field *f) {
  (void)f;
  /* Any family will do for these requests, and this one is never missing. */
  int fd = (int)RETRY(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd < 0)
    return fail_at(in, fd, "make a socket");
  struct ifreq request = {.ifr_name = "lo"};
  long error = RETRY(ioctl(fd, SIOCGIFFLAGS, &request));
  if (error == 0) {
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    error = RETRY(ioctl(fd, SIOCSIFFLAGS, &request));
  }
  close(fd);
  return error == 0 ? 0 : fail_at(in, (int)error, "bring up the loopback device");
}

int op_dumpable(struct init *in, const union field *f) {
  if (prctl(PR_SET_DUMPABLE, (unsigned long)f[0].u32, 0, 0, 0) == 0)
    return 0;
  return fail_at(in, -errno, "make the process %sdumpable", f[0].u32 ? "" : "not ");
}
