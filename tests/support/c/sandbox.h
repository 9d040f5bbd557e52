/*
 * Tests of operations on file systems. Each runs in a child with a user and a mount namespace of
 * its own, in an empty tmpfs that holds "root", which is opened as the root filesystem, and "host".
 */
#ifndef TEST_SANDBOX_H
#define TEST_SANDBOX_H

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "../../../c/init/fs.h"
#include "test.h"

static struct init in;
static int slots[SLOTS_MAX];

#define T(value)    \
  (union field) {   \
    .text = (value) \
  }
#define U(value)             \
  (union field) {            \
    .u32 = (uint32_t)(value) \
  }
#define I(value)   \
  (union field) {  \
    .i32 = (value) \
  }
#define FIELDS(...)       \
  (const union field[]) { \
    __VA_ARGS__           \
  }

/* An operation that fails: its error, and the whole of its detail. */
#define CHECK_FAILS(call, error, text) \
  do {                                 \
    in.detail[0] = '\0';               \
    in.detail_length = 0;              \
    CHECK_NUMBER(call, error);         \
    CHECK_TEXT(in.detail, text);       \
  } while (0)

static inline union field list_field(const char **items) {
  union field f = {.texts = {.items = items}};
  while (items && items[f.texts.count])
    f.texts.count++;
  return f;
}

/* op_mount; what is left out is empty, and so is slot 0. */
static inline int mount_op(struct mount_request r) {
  const union field f[] = {
      U(r.kind),
      T(r.source ? r.source : ""),
      I(r.slot ? r.slot : -1),
      T(r.destination),
      T(r.fstype ? r.fstype : ""),
      list_field(r.superblock),
      list_field(r.data),
      {.u64 = r.attr_set},
      {.u64 = r.attr_clear},
      {.u64 = r.attr_rest},
      {.u64 = r.rec_set},
      {.u64 = r.rec_clear},
      {.data = {r.propagation, r.propagation_count}},
      U(r.create),
      U(r.flags),
      I(r.keep ? r.keep : -1),
  };
  return op_mount(&in, f);
}
#define MOUNT(...) mount_op((struct mount_request){__VA_ARGS__})
#define LIST(...)     \
  (const char *[]) {  \
    __VA_ARGS__, NULL \
  }

static inline void write_text(const char *path, const char *format, ...) {
  FILE *file = fopen(path, "w");
  va_list arguments;
  NEED(file);
  va_start(arguments, format);
  NEED(vfprintf(file, format, arguments) >= 0);
  va_end(arguments);
  NEED(fclose(file) == 0);
}

/* The first line of a file, without its end. */
static inline const char *read_line(const char *path) {
  static char line[256];
  FILE *file = fopen(path, "r");
  if (!file)
    return "";
  if (!fgets(line, sizeof line, file))
    line[0] = '\0';
  fclose(file);
  line[strcspn(line, "\n")] = '\0';
  return line;
}

static inline unsigned mode_of(const char *path) {
  struct stat st = {0};
  CHECK(lstat(path, &st) == 0);
  return st.st_mode;
}

/*
 * Column of mountinfo of what is mounted last on a path that ends so: 3 what of it is shown, 5 the
 * attributes, 6 the propagation; empty if nothing is mounted there.
 */
static inline const char *mount_column(const char *end, int column) {
  static char found[256];
  char line[1024];
  FILE *file = fopen("/proc/self/mountinfo", "r");
  NEED(file);
  found[0] = '\0';
  while (fgets(line, sizeof line, file)) {
    char *columns[8], *rest = NULL;
    for (int i = 0; i < 8; i++)
      columns[i] = strtok_r(i ? NULL : line, " \n", &rest);
    const size_t length = strlen(columns[4]), wanted = strlen(end);
    if (length >= wanted && strcmp(columns[4] + length - wanted, end) == 0)
      snprintf(found, sizeof found, "%s", columns[column]);
  }
  fclose(file);
  return found;
}

static inline void enter_namespaces(void) {
  const unsigned uid = geteuid(), gid = getegid();
  NEED(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", "0 %u 1", uid);
  write_text("/proc/self/gid_map", "0 %u 1", gid);
  NEED(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0);
}

static inline void run_in_sandbox(void (*body)(void)) {
  char base[] = "/tmp/runts-sandbox-XXXXXX";
  int status = 0;
  NEED(mkdtemp(base));
  fflush(NULL);
  const pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    enter_namespaces();
    NEED(mount("tmpfs", base, "tmpfs", 0, "mode=755") == 0 && chdir(base) == 0);
    NEED(mkdir("root", 0755) == 0 && mkdir("host", 0755) == 0);
    in = (struct init){.root = -1, .mask_directory = -1, .mask_file = -1, .slots = slots};
    in.slot_count = SLOTS_MAX;
    for (int i = 0; i < SLOTS_MAX; i++)
      in.slots[i] = -1;
    in.procfs = -1;
    in.self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK_NUMBER(op_rootfs(&in, FIELDS(T("root"), U(1), I(-1))), 0);
    NEED(chdir(base) == 0); /* again, to see what is mounted there now */
    body();
    fflush(NULL);
    _exit(test_failed);
  }
  NEED(waitpid(pid, &status, 0) == pid);
  CHECK_NUMBER(status, 0);
  CHECK_NUMBER(rmdir(base), 0);
}

#define SANDBOX_TEST(name)       \
  static void body_##name(void); \
  static void name(void) {       \
    run_in_sandbox(body_##name); \
  }                              \
  static void body_##name(void)

#endif
