/* The container's terminal. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "fs.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

/* The minors of /dev/pts/N are spread over these majors. */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143

static int console_fail(struct init *in, int error, const char *what) {
  return fail_at(in, error, "console: %s", what);
}

/* Device 5:2; what else lies in its place could be anything (CVE-2025-52565). */
static bool is_multiplexer(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(5, 2);
}

static bool is_on_devpts(int fd) {
  struct statfs st;
  return fstatfs(fd, &st) == 0 && st.f_type == MAGIC_DEVPTS;
}

/*
 * Opens for use what was opened O_PATH: to open a device may have effects, so it is looked at
 * before.
 */
static int open_again(const struct init *in, int fd, int flags) {
  char name[32];
  snprintf(name, sizeof name, "fd/%d", fd);
  return (int)RETRY(openat(in->self, name, flags | O_CLOEXEC));
}

/*
 * Gives -ENOTTY for anything but a multiplexer. One outside a devpts uses the devpts beside it.
 */
static int open_multiplexer_at(struct init *in, const char *path, bool on_devpts) {
  CLEANUP_FD int place = path_open(in, path, O_PATH);
  if (place < 0)
    return place;
  if (!is_multiplexer(place) || (on_devpts && !is_on_devpts(place)))
    return -ENOTTY;
  const int flags = O_RDWR | O_NOCTTY;
  return in->self >= 0 ? open_again(in, place, flags) : path_open(in, path, flags);
}

/* Where ptmxmode forbids the one in the devpts, /dev/ptmx may be kinder. */
static int open_multiplexer(struct init *in) {
  const char *path = "/dev/pts/ptmx";
  int fd = open_multiplexer_at(in, path, true);
  if (fd == -ENOENT || fd == -EACCES) {
    path = "/dev/ptmx";
    fd = open_multiplexer_at(in, path, false);
  }
  if (fd >= 0 && is_multiplexer(fd))
    return fd;
  if (fd >= 0)
    close(fd);
  if (fd >= 0 || fd == -ENOTTY)
    return fail_at(in, -ENOTTY, "console: \"%s\" is not the multiplexer of a devpts", path);
  fail_at(in, fd, "console: open \"%s\"", path);
  return explain_path(in, in->root, path, fd);
}

/* The terminal's other end, by the master itself: no path could be swapped. */
static int open_peer(struct init *in, int master, unsigned *number) {
  int unlocked = 0;
  struct stat st;
  if (ioctl(master, TIOCSPTLCK, &unlocked) != 0 || ioctl(master, TIOCGPTN, number) != 0)
    return console_fail(in, -errno, "unlock the terminal");
  int fd = (int)RETRY(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (fd < 0)
    return console_fail(in, fd, "open the terminal");
  bool genuine = fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && is_on_devpts(fd) &&
                 major(st.st_rdev) >= PTS_MAJOR_FIRST && major(st.st_rdev) <= PTS_MAJOR_LAST;
  int high = (int)RETRY(fcntl(fd, F_DUPFD_CLOEXEC, 3)); /* not 0, 1 or 2 */
  close(fd);
  if (high >= 0 && genuine)
    return high;
  if (high >= 0)
    close(high);
  return console_fail(in, high < 0 ? high : -ENOTTY, "the terminal is not on a devpts");
}

/* A mount of the terminal, as /dev/console. */
static int mount_terminal(struct init *in, int peer, const char *path) {
  struct stat st;
  CLEANUP_FD int target = path_make_nofollow(in, path, false);
  if (target < 0)
    return fail_at(in, target, "console: make \"%s\"", path);
  if (fstat(target, &st) != 0 || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)) {
    fail_at(in, -EEXIST, "console: mount on \"%s\"", path);
    detail_add(in, ": it is %s", file_kind(st.st_mode));
    return -EEXIST;
  }
  CLEANUP_FD int tree = kernel_open_tree(peer, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  int error = tree < 0 ? tree : kernel_move_mount(tree, target);
  return error ? fail_at(in, error, "console: mount on \"%s\"", path) : 0;
}

/* One message: the terminal's name, and the master in SCM_RIGHTS. */
static int send_master(struct init *in, uint32_t slot, int master, unsigned number) {
  char name[32];
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {.bytes = {0}};
  struct iovec text = {name, (size_t)snprintf(name, sizeof name, "/dev/pts/%u", number)};
  struct msghdr message = {.msg_iov = &text,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(rights), &master, sizeof master);
  if (slot >= in->slot_count || in->slots[slot] < 0)
    return console_fail(in, -EBADF, "there is no socket to send the terminal over");
  long sent = RETRY(sendmsg(in->slots[slot], &message, MSG_NOSIGNAL));
  if (sent < 0)
    return console_fail(in, (int)sent, "send the terminal over the console socket");
  close(in->slots[slot]);
  in->slots[slot] = -1;
  return 0;
}

static int take_terminal(struct init *in, int peer) {
  if (ioctl(peer, TIOCSCTTY, 0) != 0)
    return console_fail(in, -errno, "make it the controlling terminal");
  for (int fd = 0; fd <= 2; fd++) {
    long error = RETRY(dup3(peer, fd, 0));
    if (error < 0)
      return console_fail(in, (int)error, "make it standard input and output");
  }
  return 0;
}

/* What a terminal is to be. */
struct terminal {
  uint32_t slot, rows, cols, uid;
  const char **paths; /* where it is mounted */
  uint32_t path_count;
  bool take;
};

static int make_terminal(struct init *in, const struct terminal *t) {
  struct winsize size = {.ws_row = (unsigned short)t->rows, .ws_col = (unsigned short)t->cols};
  unsigned number = 0;
  if (in->root < 0) /* exec: the namespace's own root */
    in->root = (int)RETRY(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  CLEANUP_FD int master = open_multiplexer(in);
  if (master < 0)
    return master;
  CLEANUP_FD int peer = open_peer(in, master, &number);
  if (peer < 0)
    return peer;
  struct stat st;
  if (fstat(peer, &st) != 0 || (st.st_uid != t->uid && fchown(peer, t->uid, (gid_t)-1) != 0))
    return console_fail(in, -errno, "give the terminal to the user");
  if ((size.ws_row || size.ws_col) && ioctl(master, TIOCSWINSZ, &size) != 0)
    return console_fail(in, -errno, "set the size of the terminal");
  int error = 0;
  for (uint32_t i = 0; i < t->path_count && error == 0; i++)
    error = mount_terminal(in, peer, t->paths[i]);
  if (error == 0)
    error = send_master(in, t->slot, master, number);
  return error || !t->take ? error : take_terminal(in, peer);
}

int op_console(struct init *in, const union field *f) {
  const char *path = "/dev/console";
  struct terminal t = {f[0].u32, f[1].u32, f[2].u32, f[3].u32, &path, f[4].u32 ? 1 : 0, true};
  return make_terminal(in, &t);
}

int op_tty(struct init *in, const union field *f) {
  struct terminal t = {.slot = f[0].u32,
                       .rows = f[2].u32,
                       .cols = f[3].u32,
                       .uid = f[4].u32,
                       .paths = f[1].texts.items,
                       .path_count = f[1].texts.count,
                       .take = f[5].u32 == 1};
  return make_terminal(in, &t);
}
