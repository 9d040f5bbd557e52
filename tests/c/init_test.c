/*
 * The conversation, the loop over a plan, the start and the program: what needs no privilege.
 * links: c/init/decode.c c/init/given.c c/init/sync.c c/init/stage.c c/init/procfs.c c/init/namespace.c c/init/process.c c/init/scheduling.c c/init/identity.c c/init/seccomp.c c/init/hook.c c/init/lookup.c c/init/cwd.c c/init/exec.c c/init/start.c c/init/reap.c c/init/passwd.c c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include "../support/c/filter.h"
#include "../support/c/init.h"

static const char *const none[] = {NULL};
static const char *const path_only[] = {"PATH=/usr/bin:/bin", NULL};

static void plan_program(struct plan_bytes *p, const char *script) {
  const char *const args[] = {"sh", "-c", script, NULL};
  static const char *const env[] = {"PATH=/usr/bin:/bin", "A=1", NULL};
  plan_add(p, OP_find_program, "sh", "/nowhere::/bin");
  plan_add(p, OP_exec, args, env, (int64_t)-1, 0u);
}

static void runs_a_program(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_program(&p, "test \"$A\" = 1 || exit 4; exit 3");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 3);
  CHECK_NUMBER(record.header.type, 0);
}

static void refuses_a_malformed_plan(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_put(&p, "garbage", 7);
  CHECK_FAILS(&p, -1, EBADMSG, "the plan is malformed");
}

static void reports_the_clone_before_all_else(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_clone, 0u, -1);
  plan_add(&p, OP_clone, 0u, -1);
  plan_add(&p, OP_sync, (uint32_t)SYNC_NAMESPACES);
  plan_program(&p, "exit 5");
  struct conversation c = init_start(&p, NO_SLOTS, true);
  pid_t pids[3] = {c.first};
  int got = 1;
  for (int i = 0; i < 4; i++) {
    /* Both pids come before what their processes have to say. */
    struct iovec part = {&record.header, sizeof record.header};
    NEED(recvmsg(c.socket, &(struct msghdr){.msg_iov = &part, .msg_iovlen = 1}, 0) > 0);
    CHECK_NUMBER(record.header.type, i % 2 ? SYNC_TRACE : SYNC_PID);
    CHECK_NUMBER(record.header.op, i / 2);
    if (i % 2 == 0)
      pids[got++] = (pid_t)record.header.value;
  }
  CHECK_NUMBER(init_receive(&c), SYNC_NAMESPACES);
  CHECK_NUMBER(wait_for(pids[0]), 0);
  CHECK_NUMBER(wait_for(pids[1]), 0);
  CHECK_NUMBER(kill(pids[2], 0), 0); /* it lives on, as our child */
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), SYNC_TRACE);
  CHECK(record.header.value > 0);
  CHECK_NUMBER(init_receive(&c), SYNC_TRACE);
  CHECK_NUMBER(record.header.op, 3);
  CHECK_NUMBER(init_receive(&c), 0); /* exec closed the socket */
  CHECK_NUMBER(wait_for(pids[2]), 5);
  close(c.socket);
}

static void ends_quietly_when_runts_is_gone(void) {
  for (int stage = 0; stage < 2; stage++) {
    struct plan_bytes p;
    plan_start(&p);
    if (stage == 1)
      plan_add(&p, OP_clone, 0u, -1);
    plan_add(&p, OP_sync, (uint32_t)SYNC_READY);
    plan_program(&p, "exit 7");
    struct conversation c = init_start(&p, NO_SLOTS, false);
    CHECK_NUMBER(init_receive(&c), SYNC_READY);
    CHECK_NUMBER(init_end(&c), 1);
  }
}

/* The pid cannot be told to anyone: the clone must not stay behind. */
static void a_clone_that_cannot_be_reported_ends(void) {
  struct plan_bytes p;
  int ends[2];
  char byte;
  NEED(pipe(ends) == 0);
  plan_start(&p);
  plan_add(&p, OP_clone, 0u, -1);
  plan_program(&p, "sleep 100");
  NEED(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  struct conversation c = init_start(&p, &ends[1], 1, false);
  kill(c.first, SIGSTOP);
  close(c.socket);
  kill(c.first, SIGCONT);
  close(ends[1]);
  CHECK_NUMBER(read(ends[0], &byte, 1), 0); /* every process that holds the slot has ended */
  close(ends[0]);
  while (wait(NULL) > 0)
    continue;
}

static void an_answer_of_another_type_is_refused(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_sync, (uint32_t)SYNC_MAPS);
  struct conversation c = init_start(&p, NO_SLOTS, false);
  CHECK_NUMBER(init_receive(&c), SYNC_MAPS);
  struct sync_header odd = {SYNC_READY, -1, 0, 0, 0};
  CHECK(send(c.socket, &odd, sizeof odd, 0) > 0);
  CHECK_NUMBER(init_receive(&c), SYNC_FAILED);
  CHECK_NUMBER(record.header.error, EPROTO);
  CHECK_TEXT(record.detail, "an answer of type 6");
  CHECK_NUMBER(init_end(&c), 1);
}

/* Written once runts knows what to say, as long as it may be. */
static void hooks_read_the_last_state_document(void) {
  enum { LONG = 3 << 20 };
  struct plan_bytes p;
  const char *const first[] = {"hook", "-c", "test \"$(cat)\" = '{\"first\":1}'", NULL};
  const char *const last[] = {"hook", "-c", "test \"$(wc -c)\" -eq 3145728", NULL};
  int slots[2];
  for (int i = 0; i < 2; i++)
    slots[i] = (int)syscall(SYS_memfd_create, "state", 0);
  char *text = malloc(LONG);
  NEED(slots[0] >= 0 && slots[1] >= 0 && text);
  plan_start(&p);
  plan_add(&p, OP_sync, (uint32_t)SYNC_NAMESPACES);
  plan_add(&p, OP_hook_state, 0u);
  plan_add(&p, OP_hook, "createContainer", 0u, "/bin/sh", first, none, 1u, 0u, -1, -1, 0u);
  plan_add(&p, OP_hook_state, 1u);
  plan_add(&p, OP_hook, "startContainer", 0u, "/bin/sh", last, path_only, 1u, 0u, -1, -1, 0u);
  plan_add(&p, OP_hook, "startContainer", 1u, "/bin/sh", last, path_only, 1u, 0u, -1, -1, 0u);
  struct conversation c = init_start(&p, slots, 2, false);
  CHECK_NUMBER(init_receive(&c), SYNC_NAMESPACES);
  CHECK(write(slots[0], "{\"first\":1}", 11) == 11);
  memset(text, 'x', LONG);
  CHECK(write(slots[1], text, LONG) == LONG);
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 0);
  for (int i = 0; i < 2; i++)
    close(slots[i]);
  free(text);
}

static void a_state_document_that_is_missing_is_an_error(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_hook_state, 3u);
  CHECK_FAILS(&p, 0, EBADF, "the state document's slot 3 is empty");
}

static void a_hook_without_an_environment_has_the_programs(void) {
  struct plan_bytes p;
  const char *const before[] = {"hook", "-c", "test \"$A|$HOME\" = '1|'", NULL};
  const char *const after[] = {"hook", "-c", "test \"$A|$HOME\" = '1|/root'", NULL};
  const char *const own[] = {"hook", "-c", "test \"$A|$HOME\" = '|'", NULL};
  const char *const program[] = {"sh", "-c", "exit 4", NULL};
  static const char *const env[] = {"A=1", NULL};
  plan_start(&p);
  plan_add(&p, OP_hook, "createContainer", 0u, "/bin/sh", before, none, 0u, 0u, -1, -1, 0u);
  plan_add(&p, OP_find_program, "sh", "/bin");
  plan_add(&p, OP_hook, "startContainer", 0u, "/bin/sh", after, none, 0u, 0u, -1, -1, 0u);
  plan_add(&p, OP_hook, "startContainer", 1u, "/bin/sh", own, none, 1u, 0u, -1, -1, 0u);
  plan_add(&p, OP_exec, program, env, (int64_t)0, 0u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 4);
}

static void check_hook(const char *script, const char *path, uint32_t timeout, int error,
                       const char *prefix, const char *suffix) {
  struct plan_bytes p;
  const char *const args[] = {"hook", "-c", script, NULL};
  plan_start(&p);
  plan_add(&p, OP_hook, "startContainer", 2u, path, args, none, 0u, timeout, -1, -1, 0u);
  int saved = fcntl(2, F_DUPFD_CLOEXEC, 10), quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
  NEED(saved > 0 && quiet > 0 && dup2(quiet, 2) == 2);
  int status = init_run(&p, NO_SLOTS);
  dup2(saved, 2);
  close(saved);
  close(quiet);
  CHECK_NUMBER(status, 1);
  CHECK_NUMBER(record.header.type, SYNC_FAILED);
  CHECK_NUMBER(record.header.error, error);
  CHECK(strncmp(record.detail, prefix, strlen(prefix)) == 0);
  CHECK(record.length >= strlen(suffix) &&
        strcmp(record.detail + record.length - strlen(suffix), suffix) == 0);
  if (test_failed)
    fprintf(stderr, "detail: %s\n", record.detail);
}

static void tells_how_a_hook_failed(void) {
  check_hook("exit 3", "/bin/sh", 0, 0, "exit status 3 after ", " ms");
  check_hook("printf 'a\\nb\\033c\\n' >&2; exit 1", "/bin/sh", 0, 0, "exit status 1 after ",
             " ms: stderr \"a\\nb c\"");
  check_hook("kill -SEGV $$", "/bin/sh", 0, 0, "killed by SIGSEGV after ", " ms");
  check_hook("kill -40 $$", "/bin/sh", 0, 0, "killed by signal 40 after ", " ms");
  check_hook("echo slow >&2; sleep 60", "/bin/sh", 1, 0, "timed out after 1 s",
             "timed out after 1 s: stderr \"slow\"");
  check_hook("", "/nonexistent", 0, ENOENT, "", "");
  CHECK_TEXT(record.detail, "");
  check_hook("head -c 9000 /dev/zero | tr '\\0' '\\n' >&2; echo end >&2; exit 1", "/bin/sh", 0, 0,
             "exit status 1 after ", "\\n\\nend\"");
  CHECK(record.length <= DETAIL_MAX);
}

/* A fifo in a file of its own, open for reading and writing, as runts hands it over. */
struct start_pipes {
  char path[64];
  int fds[2]; /* slots: the fifo, the write end of the result */
  int result; /* its read end */
};

static void make_start_pipes(struct start_pipes *s, int flags) {
  int ends[2];
  snprintf(s->path, sizeof s->path, "/tmp/runts-fifo.%d", (int)getpid());
  unlink(s->path);
  NEED(mkfifo(s->path, 0600) == 0 && pipe2(ends, O_CLOEXEC) == 0);
  s->fds[0] = open(s->path, flags | O_CLOEXEC);
  s->fds[1] = ends[1];
  s->result = ends[0];
  NEED(s->fds[0] >= 0);
}

/* Writes the byte, as `start` does, and gives what came over the result pipe. */
static size_t start_and_read(struct start_pipes *s, char *out, size_t room) {
  int fifo = open(s->path, O_WRONLY);
  CHECK(write(fifo, "", 1) == 1);
  close(fifo);
  size_t length = 0;
  for (ssize_t got; (got = read(s->result, out + length, room - length)) > 0;)
    length += (size_t)got;
  close(s->result);
  unlink(s->path);
  return length;
}

/* The program was executed; init has announced that, and nothing else. */
static void check_executed(struct start_pipes *s) {
  struct sync_header records[2];
  CHECK_NUMBER((long long)start_and_read(s, (char *)records, sizeof records),
               (long long)sizeof *records);
  CHECK_NUMBER(records[0].type, SYNC_EXECUTING);
}

static void waits_for_the_start(void) {
  static const int flags[] = {O_RDWR | O_NONBLOCK, O_RDWR, O_RDONLY | O_NONBLOCK};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    struct plan_bytes p;
    struct start_pipes s;
    make_start_pipes(&s, flags[i]);
    plan_start(&p);
    plan_add(&p, OP_wait_start, 0u, 1u);
    plan_program(&p, "exit 6");
    struct conversation c = init_start(&p, s.fds, 2, true);
    CHECK_NUMBER(init_receive(&c), 0); /* no record; the conversation is closed */
    close(s.fds[0]);
    close(s.fds[1]);
    CHECK_NUMBER(waitpid(c.first, NULL, WNOHANG), 0);
    close(open(s.path, O_WRONLY | O_NONBLOCK)); /* somebody who comes and goes without a word */
    check_executed(&s);
    CHECK_NUMBER(init_end(&c), 6);
  }
}

static void failures_after_the_start_go_to_the_result(void) {
  struct plan_bytes p;
  struct start_pipes s;
  struct {
    struct sync_header header;
    char detail[DETAIL_MAX + 1];
  } answer = {0};
  make_start_pipes(&s, O_RDWR | O_NONBLOCK);
  plan_start(&p);
  plan_add(&p, OP_wait_start, 0u, 1u);
  plan_add(&p, OP_find_program, "none-such", "/bin");
  struct conversation c = init_start(&p, s.fds, 2, false);
  close(s.fds[0]);
  close(s.fds[1]);
  size_t length = start_and_read(&s, (char *)&answer, sizeof answer);
  CHECK_NUMBER(answer.header.type, SYNC_FAILED);
  CHECK_NUMBER(answer.header.op, 1);
  CHECK_NUMBER(answer.header.error, ENOENT);
  CHECK_NUMBER((long long)(length - sizeof answer.header), 26);
  CHECK(memcmp(answer.detail, "find program \"none-such\"\0\0", 26) == 0);
  CHECK_NUMBER(init_end(&c), 1);
}

/* What the container brings along may look at init by then. */
static void nothing_of_the_host_is_open_once_it_was_started(void) {
  struct plan_bytes p;
  struct start_pipes s;
  static const char script[] = "! ls -l /proc/$PPID/fd | grep -e /usr -e /proc";
  const char *const args[] = {"sh", "-c", script, NULL};
  static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
  make_start_pipes(&s, O_RDWR | O_NONBLOCK);
  int slots[] = {open("/usr", O_PATH | O_CLOEXEC), s.fds[0], s.fds[1]};
  plan_start(&p);
  plan_add(&p, OP_wait_start, 1u, 2u);
  plan_add(&p, OP_hook, "startContainer", 0u, "/bin/sh", args, env, 1u, 0u, -1, -1, 0u);
  plan_program(&p, "exit 0");
  struct conversation c = init_start(&p, slots, 3, false);
  for (int i = 0; i < 3; i++)
    close(slots[i]);
  check_executed(&s);
  CHECK_NUMBER(init_end(&c), 0);
}

/* A filter that is loaded before the start must not need to know how init waits. */
static void waits_under_a_filter(void) {
  struct plan_bytes p;
  struct start_pipes s;
  enum { FATAL = 10 };
  static const uint32_t fatal[FATAL] = {SYS_poll,      SYS_ppoll,      SYS_sendmsg, SYS_recvmsg,
                                        SYS_recvfrom,  SYS_madvise,    SYS_openat2, SYS_fcntl,
                                        SYS_nanosleep, SYS_close_range};
  struct sock_filter filter[FATAL + 3] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
  for (uint8_t i = 0; i < FATAL; i++)
    filter[1 + i] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fatal[i], (uint8_t)(FATAL - i), 0);
  filter[FATAL + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[FATAL + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  static const char *const args[] = {"true", NULL};
  make_start_pipes(&s, O_RDWR | O_NONBLOCK);
  plan_start(&p);
  plan_add(&p, OP_no_new_privs);
  plan_add(&p, OP_find_program, "true", "/bin");
  plan_add(&p, OP_seccomp, 0u, (uint32_t)sizeof filter, filter, 0u);
  plan_add(&p, OP_sync, (uint32_t)SYNC_READY);
  plan_add(&p, OP_wait_start, 0u, 1u);
  plan_add(&p, OP_exec, args, none, (int64_t)-1, 0u);
  struct conversation c = init_start(&p, s.fds, 2, false);
  close(s.fds[0]);
  close(s.fds[1]);
  CHECK_NUMBER(init_receive(&c), SYNC_READY);
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  check_executed(&s);
  CHECK_NUMBER(init_end(&c), 0);
}

static void gives_back_the_plan_while_it_waits(void) {
  struct plan_bytes p;
  struct start_pipes s;
  char *big = malloc((8 << 20) + 1);
  NEED(big);
  memset(big, 'x', 8 << 20);
  big[8 << 20] = '\0';
  make_start_pipes(&s, O_RDWR | O_NONBLOCK);
  plan_start(&p);
  plan_add(&p, OP_sync, (uint32_t)SYNC_READY);
  plan_add(&p, OP_wait_start, 0u, 1u);
  plan_program(&p, "exit 0");
  plan_add(&p, OP_hostname, big);
  free(big);
  struct conversation c = init_start(&p, s.fds, 2, false);
  close(s.fds[0]);
  close(s.fds[1]);
  CHECK_NUMBER(init_receive(&c), SYNC_READY);
  long before = resident(c.first);
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  long after = resident(c.first);
  for (int i = 0; i < 1000 && after > before - 8000; i++, after = resident(c.first))
    usleep(1000);
  CHECK(before - after >= 8000);
  check_executed(&s);
  CHECK_NUMBER(init_end(&c), 0);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(runs_a_program),
      TEST(refuses_a_malformed_plan),
      TEST(reports_the_clone_before_all_else),
      TEST(ends_quietly_when_runts_is_gone),
      TEST(a_clone_that_cannot_be_reported_ends),
      TEST(an_answer_of_another_type_is_refused),
      TEST(hooks_read_the_last_state_document),
      TEST(a_state_document_that_is_missing_is_an_error),
      TEST(a_hook_without_an_environment_has_the_programs),
      TEST(tells_how_a_hook_failed),
      TEST(waits_for_the_start),
      TEST(failures_after_the_start_go_to_the_result),
      TEST(nothing_of_the_host_is_open_once_it_was_started),
      TEST(waits_under_a_filter),
      TEST(gives_back_the_plan_while_it_waits),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
