/*
 * An init that is started before there is a plan.
 * links: c/init/decode.c c/init/given.c c/init/sync.c c/init/stage.c c/init/procfs.c c/init/namespace.c c/init/process.c c/init/scheduling.c c/init/identity.c c/init/seccomp.c c/init/hook.c c/init/lookup.c c/init/cwd.c c/init/exec.c c/init/start.c c/init/reap.c c/init/passwd.c c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include "../support/c/init.h"

static void plan_program(struct plan_bytes *p) {
  static const char *const args[] = {"sh", "-c", "exit 3", NULL}, *const env[] = {NULL};
  plan_add(p, OP_find_program, "sh", "/bin");
  plan_add(p, OP_exec, args, env, (int64_t)-1, 0u);
}

/* An init that has no plan yet, and makes these namespaces. */
static struct conversation init_start_making(uint32_t namespaces) {
  int ends[2];
  NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  fflush(NULL);
  pid_t pid = fork();
  NEED(pid >= 0);
  if (pid == 0) {
    char number[12], kinds[12];
    char *args[] = {"runts-init", number, "-1", "0", kinds, NULL};
    close(ends[0]);
    snprintf(number, sizeof number, "%d", ends[1]);
    snprintf(kinds, sizeof kinds, "%u", namespaces);
    _exit(init_main(ARG_SLOTS, args));
  }
  close(ends[1]);
  return (struct conversation){ends[0], pid, pid};
}

static struct conversation init_start_early(void) {
  return init_start_making(0);
}

/* A record with one descriptor, for a slot where it is not the plan. */
static void give_header(int socket, struct sync_header *header, uint32_t slot, int fd) {
  struct iovec parts[] = {{header, sizeof *header},
                          {&slot, header->type == SYNC_SLOTS ? sizeof slot : 0}};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof fd)];
  } control = {.bytes = {0}};
  struct msghdr message = {
      .msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  NEED(sendmsg(socket, &message, MSG_NOSIGNAL) > 0);
}

static void give(int socket, int type, uint32_t slot, int fd) {
  struct sync_header header = {type, -1, 0, 0, 0};
  give_header(socket, &header, slot, fd);
}

static void takes_a_plan_that_comes_later(void) {
  struct plan_bytes p;
  int fds[2];
  char byte = 0;
  plan_start(&p);
  plan_add(&p, OP_join_cgroup, 3u);
  plan_program(&p);
  plan_end(&p);
  NEED(pipe2(fds, O_CLOEXEC) == 0);
  struct conversation c = init_start_early();
  int plan = plan_memfd(&p);
  plan_discard(&p);
  give(c.socket, SYNC_SLOTS, 3, fds[1]);
  give(c.socket, SYNC_PLAN, 0, plan);
  close(plan);
  close(fds[1]);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 3);
  CHECK_NUMBER(read(fds[0], &byte, 1), 1); /* what joining a cgroup writes */
  CHECK_NUMBER(byte, '0');
  CHECK_NUMBER(read(fds[0], &byte, 1), 0);
  close(fds[0]);
}

static void say_that_more_comes(int socket, int plan, uint64_t late) {
  struct sync_header header = {SYNC_PLAN, -1, 0, 0, late};
  give_header(socket, &header, 0, plan);
}

/* What comes behind the plan is waited for by the operation that needs it. */
static void waits_for_a_descriptor_that_comes_later(void) {
  struct plan_bytes p;
  int fds[2], others[2];
  char byte = 0;
  plan_start(&p);
  plan_add(&p, OP_clone, 0u, -1);
  plan_add(&p, OP_tell, (uint32_t)SYNC_NAMESPACES);
  plan_add(&p, OP_join_cgroup, 3u);
  plan_program(&p);
  plan_end(&p);
  NEED(pipe2(fds, O_CLOEXEC) == 0 && pipe2(others, O_CLOEXEC) == 0);
  struct conversation c = init_start_early();
  int plan = plan_memfd(&p);
  plan_discard(&p);
  say_that_more_comes(c.socket, plan, 2);
  close(plan);
  CHECK_NUMBER(init_receive(&c), SYNC_NAMESPACES);
  give(c.socket, SYNC_SLOTS, 5, others[1]); /* not the one that is wanted */
  give(c.socket, SYNC_SLOTS, 3, fds[1]);
  close(fds[1]);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 3);
  CHECK_NUMBER(read(fds[0], &byte, 1), 1);
  CHECK_NUMBER(byte, '0');
  close(fds[0]);
  close(others[0]);
  close(others[1]);
}

/* An answer is one only behind all that comes later. */
static void takes_what_comes_later_before_an_answer(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_sync, (uint32_t)SYNC_NAMESPACES);
  plan_program(&p);
  plan_end(&p);
  struct conversation c = init_start_early();
  int plan = plan_memfd(&p);
  plan_discard(&p);
  say_that_more_comes(c.socket, plan, 1);
  CHECK_NUMBER(init_receive(&c), SYNC_NAMESPACES);
  give(c.socket, SYNC_SLOTS, 0, plan);
  close(plan);
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 3);
}

/* Neither more than was told, nor something else, nor nothing at all. */
static void ends_without_what_was_to_come(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_join_cgroup, 3u);
  plan_end(&p);
  int plan = plan_memfd(&p);
  plan_discard(&p);
  struct conversation c = init_start_early();
  say_that_more_comes(c.socket, plan, 0);
  CHECK_NUMBER(init_receive(&c), SYNC_FAILED);
  CHECK_TEXT(record.detail, "slot 3 is empty");
  CHECK_NUMBER(init_end(&c), 1);
  c = init_start_early();
  say_that_more_comes(c.socket, plan, 1);
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), SYNC_FAILED);
  CHECK_TEXT(record.detail, "a record of type 32 with 0 descriptors");
  CHECK_NUMBER(init_end(&c), 1);
  c = init_start_early();
  say_that_more_comes(c.socket, plan, 1);
  close(plan);
  CHECK_NUMBER(init_end(&c), 1);
}

/* Which namespace a process has; 0 if it has gone. */
static ino_t uts_of(pid_t pid) {
  char path[64];
  struct stat st;
  snprintf(path, sizeof path, "/proc/%d/ns/uts", (int)pid);
  return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void makes_namespaces_before_it_has_a_plan(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_clone, (uint32_t)(CLONE_NEWUTS | CLONE_NEWNS), -1);
  plan_add(&p, OP_sync, (uint32_t)SYNC_NAMESPACES);
  plan_program(&p);
  plan_end(&p);
  struct conversation c = init_start_making(CLONE_NEWUTS);
  ino_t made;
  while ((made = uts_of(c.first)) == uts_of(getpid()))
    ;
  int plan = plan_memfd(&p);
  plan_discard(&p);
  give(c.socket, SYNC_PLAN, 0, plan);
  close(plan);
  CHECK_NUMBER(init_receive(&c), SYNC_NAMESPACES);
  CHECK(c.newest != c.first);
  CHECK_NUMBER(uts_of(c.newest), made); /* the clone has made no further one */
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 3);
}

/* A kind that there is not cannot be made: it is as if nothing had been asked for. */
static void leaves_to_the_plan_what_cannot_be_made(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_program(&p);
  plan_end(&p);
  struct conversation c = init_start_making(CLONE_NEWUTS | 1u);
  int plan = plan_memfd(&p);
  plan_discard(&p);
  give(c.socket, SYNC_PLAN, 0, plan);
  close(plan);
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 3);
}

static void ends_when_no_plan_comes(void) {
  struct conversation c = init_start_early();
  CHECK_NUMBER(init_end(&c), 1);
  c = init_start_early();
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), SYNC_FAILED);
  CHECK_NUMBER(record.header.error, EPROTO);
  CHECK_TEXT(record.detail, "a record of type 32");
  CHECK_NUMBER(init_end(&c), 1);
  c = init_start_early();
  give(c.socket, SYNC_SLOTS, SLOTS_MAX, c.socket);
  CHECK_NUMBER(init_receive(&c), SYNC_FAILED);
  CHECK_TEXT(record.detail, "slot 1024");
  CHECK_NUMBER(init_end(&c), 1);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(takes_a_plan_that_comes_later),           TEST(makes_namespaces_before_it_has_a_plan),
      TEST(leaves_to_the_plan_what_cannot_be_made),  TEST(ends_when_no_plan_comes),
      TEST(waits_for_a_descriptor_that_comes_later), TEST(takes_what_comes_later_before_an_answer),
      TEST(ends_without_what_was_to_come),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
