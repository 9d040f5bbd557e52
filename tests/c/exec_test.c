/*
 * Finding and executing the program, its environment and its working directory. Needs root.
 * links: c/init/decode.c c/init/given.c c/init/sync.c c/init/stage.c c/init/procfs.c c/init/namespace.c c/init/process.c c/init/scheduling.c c/init/identity.c c/init/seccomp.c c/init/hook.c c/init/lookup.c c/init/cwd.c c/init/exec.c c/init/start.c c/init/reap.c c/init/passwd.c c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include <elf.h>
#include <sched.h>
#include <sys/mount.h>

#include "../../c/init/passwd.h"
#include "../support/c/folder.h"
#include "../support/c/init.h"

static const char *const no_env[] = {NULL};

static const char *make_file(const char *name, const void *bytes, size_t length, mode_t mode) {
  const char *path = in_folder(name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  NEED(fd >= 0 && write(fd, bytes, length) == (ssize_t)length && fchmod(fd, mode) == 0);
  close(fd);
  return path;
}

/* Part N of the last record's detail: each is ended by NUL, the last one by the length. */
static const char *detail_part(int number) {
  const char *at = record.detail, *end = record.detail + record.length;
  for (; number > 0; number--) {
    const char *next = memchr(at, '\0', (size_t)(end - at));
    if (!next)
      return "(missing)";
    at = next + 1;
  }
  return at;
}

static void check_not_found(const char *name, const char *search, int error, const char *candidate,
                            const char *element) {
  struct plan_bytes p;
  char text[128];
  plan_start(&p);
  plan_add(&p, OP_set_ids, 65534u, 65534u, 0u, NULL, 0u);
  plan_add(&p, OP_find_program, name, search);
  snprintf(text, sizeof text, "find program \"%s\"", name);
  CHECK_FAILS(&p, 1, error, text);
  CHECK_TEXT(detail_part(1), candidate);
  CHECK_TEXT(detail_part(2), element);
}

static void tells_why_no_program_is_found(void) {
  const char *plain = make_file("plain", "x", 1, 0644), *secret = in_folder("secret");
  char hidden[160], below[160], search[256];
  NEED(chmod(folder, 0755) == 0 && mkdir(secret, 0700) == 0);
  snprintf(hidden, sizeof hidden, "%s/tool", secret);
  snprintf(below, sizeof below, "%s/tool", plain);
  snprintf(search, sizeof search, "/usr:%s:/bin", folder);
  check_not_found("none-such", "/usr/bin:/bin", ENOENT, "", "");
  check_not_found("", "/bin", ENOENT, "", "");
  check_not_found("/none/such", "", ENOENT, "/none/such", "/none");
  check_not_found("/bin/none-such", "", ENOENT, "/bin/none-such", "");
  check_not_found("/usr", "", EISDIR, "/usr", "");
  check_not_found("bin", "/usr", ENOENT, "", "");
  check_not_found("plain", search, EACCES, plain, "");
  check_not_found(plain, "", EACCES, plain, "");
  check_not_found("/dev/null", "", EACCES, "/dev/null", "");
  check_not_found(below, "", ENOTDIR, below, plain);
  check_not_found(hidden, "", EACCES, hidden, secret);
  rmdir(secret);
  unlink(plain);
}

static void searches_in_order(void) {
  struct plan_bytes p;
  static const char *const args[] = {"true", NULL};
  const char *refused = make_file("true", "x", 1, 0644);
  char search[256];
  snprintf(search, sizeof search, "/none-such:%s:/etc/passwd:/bin", folder);
  plan_start(&p);
  plan_add(&p, OP_find_program, "true", search);
  plan_add(&p, OP_exec, args, no_env, (int64_t)-1, 0u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  plan_start(&p);
  plan_add(&p, OP_chdir, "/bin", 0u, 0u);
  plan_add(&p, OP_find_program, "true", "/none-such:");
  plan_add(&p, OP_exec, args, no_env, (int64_t)-1, 0u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  unlink(refused);
}

static void check_not_executed(const char *path, int error, const void *head, size_t head_length) {
  struct plan_bytes p;
  char text[160];
  const char *const args[] = {"program", NULL};
  plan_start(&p);
  plan_add(&p, OP_find_program, path, "");
  plan_add(&p, OP_exec, args, no_env, (int64_t)-1, 0u);
  snprintf(text, sizeof text, "execute \"%s\"", path);
  CHECK_FAILS(&p, 1, error, text);
  CHECK_TEXT(detail_part(1), path);
  const char *sent = detail_part(2);
  CHECK_NUMBER(record.detail + record.length - sent, (long long)head_length);
  CHECK(memcmp(sent, head, head_length) == 0);
}

static void sends_the_head_of_what_cannot_be_executed(void) {
  static const char script[] = "#!/none/such\nexit 0\n";
  const char *path = make_file("script", script, strlen(script), 0755);
  check_not_executed(path, ENOENT, script, strlen(script));
  unlink(path);
  path = make_file("text", "echo a\0b", 8, 0755);
  check_not_executed(path, ENOEXEC, "echo a\0b", 8);
  unlink(path);
  path = make_file("empty", "", 0, 0755);
  check_not_executed(path, ENOEXEC, "", 0);
  unlink(path);
}

/* An ELF file whose only segment names a loader behind the part that is sent. */
static void sends_the_loader_that_lies_further_behind(void) {
  static const char loader[] = "/lib/ld-none-such.so.9";
  static unsigned char file[8192], expected[EXEC_HEAD + sizeof loader];
  Elf64_Ehdr *head = (Elf64_Ehdr *)(void *)file;
  Elf64_Phdr *parts = (Elf64_Phdr *)(void *)(file + 64);
  memset(file, 0, sizeof file);
  memcpy(head->e_ident, ELFMAG "\2\1\1", 7);
  head->e_type = ET_DYN;
  head->e_machine = EM_X86_64;
#ifdef __aarch64__
  head->e_machine = EM_AARCH64;
#endif
  head->e_version = 1;
  head->e_phoff = 64;
  head->e_ehsize = sizeof *head;
  head->e_phentsize = sizeof *parts;
  head->e_phnum = 2;
  parts[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 8192, .p_memsz = 8192};
  parts[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 5000, .p_filesz = sizeof loader};
  memcpy(file + 5000, loader, sizeof loader);
  const char *path = make_file("elf", file, sizeof file, 0755);
  memcpy(expected, file, EXEC_HEAD);
  memcpy(expected + EXEC_HEAD, loader, sizeof loader - 1);
  check_not_executed(path, ENOENT, expected, sizeof expected - 1);
  /* A header that leads nowhere is no reason to fail otherwise. */
  head->e_phoff = UINT64_MAX - 10;
  head->e_phnum = 0xffff;
  unlink(path);
  path = make_file("elf", file, sizeof file, 0755);
  check_not_executed(path, ENOEXEC, file, EXEC_HEAD);
  unlink(path);
}

static void a_program_that_was_not_sought_is_not_executed(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_exec, no_env, no_env, (int64_t)-1, 0u);
  CHECK_FAILS(&p, 0, EINVAL, "execute a program that was not sought");
}

static void reads_lines_of_passwd(void) {
  static const struct {
    const char *line;
    const char *home; /* NULL: not a line of uid 1000 */
  } cases[] = {
      {"u:x:1000:1000:Name,,:/home/u:/bin/sh", "/home/u"},
      {"u::1000::::", NULL},
      {"u:x:1000:1000:g:/h", "/h"},
      {"u:x:1000:1000:g", NULL},
      {"u:x:01000:1000:g:/h:", "/h"},
      {"u:x:+1000:1000:g:/h:", NULL},
      {"u:x: 1000:1000:g:/h:", NULL},
      {"u:x:1000x:1000:g:/h:", NULL},
      {"u:x:10000:1000:g:/h:", NULL},
      {"u:x:99999999999999999999999:1000:g:/h:", NULL},
      {"", NULL},
      {"+::::::", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char line[128], home[PATH_MAX] = "";
    strcpy(line, cases[i].line);
    int found = passwd_line_home(line, 1000, home);
    CHECK_NUMBER(found, cases[i].home != NULL);
    if (cases[i].home)
      CHECK_TEXT(home, cases[i].home);
  }
}

/* HOME of uid 1000 as the program sees it, with these bytes as /etc/passwd. */
static void check_home(const void *passwd, size_t length, const char *wanted) {
  struct plan_bytes p;
  char script[128];
  const char *path = make_file("passwd", passwd, length, 0644);
  snprintf(script, sizeof script, "test \"$HOME\" = %s && test \"$A\" = b", wanted);
  const char *const args[] = {"sh", "-c", script, NULL};
  static const char *const env[] = {"A=b", NULL};
  NEED(mount(path, "/etc/passwd", NULL, MS_BIND, NULL) == 0);
  plan_start(&p);
  plan_add(&p, OP_find_program, "/bin/sh", "");
  plan_add(&p, OP_exec, args, env, (int64_t)1000, 0u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  umount2("/etc/passwd", MNT_DETACH);
  unlink(path);
}

static void home_comes_from_the_containers_passwd(void) {
  static char big[100000];
  check_home("root:x:0:0::/root:/bin/sh\nu:x:1000:5::/home/u:\n", 48, "/home/u");
  check_home("u:x:1000:5::/home/last", 22, "/home/last");
  check_home("u:x:1000:5::/one:\nu:x:1000:5::/two:\n", 36, "/one");
  check_home("u:x:1001:5::/home/u:\n", 21, "/");
  check_home("", 0, "/");
  memset(big, 'x', sizeof big); /* one line that is too long, and one after it */
  memcpy(big, "u:x:1000:5::/no:", 16);
  memcpy(big + sizeof big - 22, "\nu:x:1000:5::/far/off:", 22);
  check_home(big, sizeof big, "/far/off");
  /* The rest of a line that is too long is not a line. */
  memset(big, 'x', sizeof big);
  memcpy(big + 8192, "u:x:1000:5::/rest:", 18);
  check_home(big, sizeof big, "/");
}

static void listen_pid_is_the_programs(void) {
  struct plan_bytes p;
  static const char script[] = "test $LISTEN_PID = $$ && test $HOME = /root";
  static const char *const args[] = {"sh", "-c", script, NULL};
  plan_start(&p);
  plan_add(&p, OP_clone, (uint32_t)CLONE_NEWPID, -1);
  plan_add(&p, OP_find_program, "/bin/sh", "");
  plan_add(&p, OP_exec, args, no_env, (int64_t)0, 1u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
}

static void plan_pwd(struct plan_bytes *p, const char *wanted) {
  char script[128];
  snprintf(script, sizeof script, "test \"$(pwd -P)\" = '%s'", wanted);
  const char *const args[] = {"sh", "-c", script, NULL};
  plan_add(p, OP_find_program, "/bin/sh", "");
  plan_add(p, OP_exec, args, no_env, (int64_t)-1, 0u);
}

static void enters_the_working_directory(void) {
  struct plan_bytes p;
  const char *deep = in_folder("new/and/deep"), *secret = in_folder("secret");
  plan_start(&p);
  plan_add(&p, OP_chdir, deep, 1u, 1u);
  plan_add(&p, OP_chdir, "/", 0u, 0u); /* nothing is done: the first has succeeded */
  plan_pwd(&p, deep);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  NEED(rmdir(deep) == 0 && rmdir(in_folder("new/and")) == 0 && rmdir(in_folder("new")) == 0);

  /* Root may not (a user's directory on NFS, say), the user may: here the other way round. */
  NEED(mkdir(secret, 0700) == 0 && chmod(folder, 0755) == 0);
  plan_start(&p);
  plan_add(&p, OP_chdir, secret, 1u, 0u);
  plan_add(&p, OP_set_ids, 65534u, 65534u, 0u, NULL, 0u);
  plan_add(&p, OP_chdir, secret, 0u, 0u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  plan_start(&p);
  plan_add(&p, OP_set_ids, 65534u, 65534u, 0u, NULL, 0u);
  plan_add(&p, OP_chdir, secret, 1u, 0u);
  plan_add(&p, OP_chdir, "/usr/bin", 0u, 0u);
  plan_pwd(&p, "/usr/bin");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  rmdir(secret);
}

static void names_what_refuses_the_working_directory(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_chdir, "/etc/passwd/x", 0u, 1u);
  CHECK_FAILS(&p, 0, ENOTDIR, "enter \"/etc/passwd/x\": \"/etc/passwd\"");
  plan_start(&p);
  plan_add(&p, OP_chdir, "/none/such", 0u, 0u);
  CHECK_FAILS(&p, 0, ENOENT, "enter \"/none/such\": \"/none\"");
  plan_start(&p);
  plan_add(&p, OP_chdir, "/etc/passwd", 0u, 1u);
  CHECK_FAILS(&p, 0, ENOTDIR, "enter \"/etc/passwd\"");
}

/* CVE-2024-21626: a directory of the host, reached by way of a descriptor that was left open. */
static void refuses_a_directory_outside_the_root(void) {
  struct plan_bytes p;
  char path[64], text[128];
  const char *root = in_folder("root");
  int host = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
  NEED(host >= 0 && mkdir(root, 0755) == 0 && mkdir(in_folder("root/proc"), 0755) == 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", host);
  snprintf(text, sizeof text, "the working directory \"%s\" lies outside the root filesystem",
           path);
  fflush(NULL);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    NEED(mount("proc", in_folder("root/proc"), "proc", 0, NULL) == 0);
    NEED(chroot(root) == 0 && chdir("/") == 0);
    for (uint32_t tolerate = 0; tolerate < 2; tolerate++) {
      plan_start(&p);
      plan_add(&p, OP_chdir, path, tolerate, 0u);
      CHECK_FAILS(&p, 0, 0, text);
    }
    _exit(test_failed);
  }
  CHECK_NUMBER(wait_for(pid), 0);
  umount2(in_folder("root/proc"), MNT_DETACH);
  rmdir(in_folder("root/proc"));
  rmdir(root);
  close(host);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(tells_why_no_program_is_found),
      TEST(searches_in_order),
      TEST(sends_the_head_of_what_cannot_be_executed),
      TEST(sends_the_loader_that_lies_further_behind),
      TEST(a_program_that_was_not_sought_is_not_executed),
      TEST(reads_lines_of_passwd),
      TEST(home_comes_from_the_containers_passwd),
      TEST(listen_pid_is_the_programs),
      TEST(enters_the_working_directory),
      TEST(names_what_refuses_the_working_directory),
      TEST(refuses_a_directory_outside_the_root),
  };
  NEED(geteuid() == 0 && mkdtemp(folder));
  NEED(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  int status = test_run(tests, sizeof tests / sizeof *tests, argc, argv);
  CHECK(rmdir(folder) == 0);
  return status || test_failed;
}
