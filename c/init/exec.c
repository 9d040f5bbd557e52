/* Becoming the program. */
#define _GNU_SOURCE 1
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/stop.h"
#include "init.h"
#include "passwd.h"

#define EXTRA_VARIABLES 2 /* HOME, LISTEN_PID */
#define INTERPRETER_MAX 256

static const struct operation *find_exec(const struct plan *plan) {
  for (uint32_t i = plan->count; i > 0; i--)
    if (plan->ops[i - 1].code == OP_exec)
      return &plan->ops[i - 1];
  return NULL;
}

int exec_prepare(struct init *in) {
  const struct operation *exec = find_exec(&in->plan);
  if (!exec)
    return 0;
  uint32_t count = exec->field[1].texts.count;
  int64_t home_of = exec->field[2].i64;
  free(in->env);
  in->env = calloc((size_t)count + EXTRA_VARIABLES + 1, sizeof *in->env);
  if (!in->env)
    return -ENOMEM;
  memcpy(in->env, exec->field[1].texts.items, count * sizeof *in->env);
  if (home_of >= 0) {
    char home[PATH_MAX];
    passwd_home((uint64_t)home_of, home);
    if (asprintf(&in->env[count++], "HOME=%s", home) < 0)
      return -ENOMEM;
  }
  if (exec->field[3].u32 == 1 && asprintf(&in->env[count], "LISTEN_PID=%d", (int)getpid()) < 0)
    return -ENOMEM;
  return 0;
}

/* The loader that an ELF file of this machine's byte order names; empty if it names none. */
static void read_interpreter(int fd, char out[INTERPRETER_MAX]) {
  union {
    unsigned char ident[EI_NIDENT];
    Elf32_Ehdr narrow;
    Elf64_Ehdr wide;
  } head;
  out[0] = '\0';
  if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
    return;
  if (memcmp(head.ident, ELFMAG, SELFMAG) != 0)
    return;
  bool wide = head.ident[EI_CLASS] == ELFCLASS64;
  uint64_t at = wide ? head.wide.e_phoff : head.narrow.e_phoff;
  unsigned count = wide ? head.wide.e_phnum : head.narrow.e_phnum;
  for (; count > 0; count--, at += wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) {
    union {
      Elf32_Phdr narrow;
      Elf64_Phdr wide;
    } part;
    if (pread(fd, &part, sizeof part.narrow, (off_t)at) != (ssize_t)sizeof part.narrow)
      return;
    if (part.narrow.p_type != PT_INTERP)
      continue; /* p_type comes first in both */
    if (wide && pread(fd, &part, sizeof part.wide, (off_t)at) != (ssize_t)sizeof part.wide)
      return;
    uint64_t offset = wide ? part.wide.p_offset : part.narrow.p_offset;
    ssize_t length = pread(fd, out, INTERPRETER_MAX - 1, (off_t)offset);
    out[length < 0 ? 0 : length] = '\0';
    return;
  }
}

/* What the file begins with often tells why it cannot be executed. */
static void append_head(struct init *in, const char *path) {
  char head[EXEC_HEAD + INTERPRETER_MAX];
  int fd = (int)RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  long length = fd < 0 ? 0 : RETRY(read(fd, head, EXEC_HEAD));
  if (length < 0)
    length = 0;
  read_interpreter(fd, head + EXEC_HEAD);
  if (head[EXEC_HEAD]) {
    memset(head + length, 0, (size_t)(EXEC_HEAD - length));
    length = EXEC_HEAD + (long)strlen(head + EXEC_HEAD);
  }
  if (fd >= 0)
    close(fd);
  fail_append(in, head, (size_t)length);
}

/* What executes this executable for the program. */
int op_reaper(struct init *in, const union field *f) {
  (void)f;
  in->reaper = (int)RETRY(openat(in->self, "exe", O_RDONLY | O_CLOEXEC));
  return in->reaper < 0 ? fail_at(in, in->reaper, "open init's own executable") : 0;
}

static long execute_reaper(struct init *in, const union field *args) {
  uint32_t count = args->texts.count;
  const char **argv = calloc(count + 4, sizeof *argv); /* its name, the word, the program, NULL */
  if (!argv)
    return -1;
  argv[0] = "init";
  argv[1] = REAP_WORD;
  argv[2] = in->program;
  memcpy(argv + 3, args->texts.items, count * sizeof *argv);
  return syscall(SYS_execveat, in->reaper, "", argv, in->env, AT_EMPTY_PATH);
}

int op_exec(struct init *in, const union field *f) {
  if (!in->program || !in->env)
    return fail_at(in, -EINVAL, "execute a program that was not sought");
  STOP("@execute");
  files_restore(in);
  announce_execution(in);
  STOP("@announced");
  long result = in->reaper >= 0
                    ? execute_reaper(in, &f[0])
                    : execve(in->program, (char *const *)(uintptr_t)f[0].texts.items, in->env);
  int error = result < 0 ? -errno : -EIO; /* a filter may say that it went well */
  fail_at(in, error, "execute \"%s\"", in->program);
  fail_append(in, in->program, strlen(in->program));
  append_head(in, in->program);
  return error;
}
