/*
 * What the program inherits, and its ids, capabilities and filter. Needs root.
 * links: c/init/decode.c c/init/given.c c/init/sync.c c/init/stage.c c/init/procfs.c c/init/namespace.c c/init/process.c c/init/scheduling.c c/init/identity.c c/init/seccomp.c c/init/hook.c c/init/lookup.c c/init/cwd.c c/init/exec.c c/init/start.c c/init/reap.c c/init/passwd.c c/common/hook.c c/common/close.c c/common/retry.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "../support/c/filter.h"
#include "../support/c/init.h"

#define CAP_CHOWN 0
#define CAP_NET_RAW 13
#define CAP_SYS_RESOURCE 24
#define CAP_UNKNOWN 62
#define BIT(number) (UINT64_C(1) << (number))

static void limits_masks_and_flags_reach_the_program(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_umask, 027u);
  plan_add(&p, OP_rlimit, (uint32_t)RLIMIT_NOFILE, UINT64_C(100), UINT64_C(200), 0u);
  plan_add(&p, OP_rlimit, (uint32_t)RLIMIT_CORE, UINT64_C(0), UINT64_C(0), 0u);
  plan_add(&p, OP_no_new_privs);
  plan_add(&p, OP_personality, 8u); /* PER_LINUX32 */
  plan_script(&p, "test $(umask) = 0027; test $(ulimit -Sn) = 100; test $(ulimit -Hn) = 200;"
                  "test $(ulimit -Hc) = 0; grep -q 'NoNewPrivs:.1' /proc/self/status;"
                  "grep -q 8 /proc/self/personality");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
}

static void raises_limits_and_lowers_none(void) {
  static const struct {
    enum limit_raise raise;
    uint64_t least;
    const char *soft;
  } cases[] = {
      {RAISE_HARD, 50, "20"}, {RAISE_HARD, 100, "20"},  {RAISE_BOTH, 10, "20"},
      {RAISE_BOTH, 50, "50"}, {RAISE_BOTH, 100, "100"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct plan_bytes p;
    char script[128];
    plan_start(&p);
    plan_add(&p, OP_rlimit, (uint32_t)RLIMIT_CORE, UINT64_C(20 * 512), UINT64_C(100 * 512), 0u);
    plan_add(&p, OP_rlimit, (uint32_t)RLIMIT_CORE, UINT64_C(0), cases[i].least * 512,
             (uint32_t)cases[i].raise);
    snprintf(script, sizeof script, "test $(ulimit -Sc) = %s; test $(ulimit -Hc) = 100",
             cases[i].soft);
    plan_script(&p, script);
    CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  }
}

static void tells_the_limit_that_cannot_be_raised(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_rlimit, (uint32_t)RLIMIT_NPROC, UINT64_C(5), UINT64_C(100), 0u);
  plan_add(&p, OP_caps, UINT64_C(0), UINT64_C(0), UINT64_C(0), UINT64_C(0));
  plan_add(&p, OP_rlimit, (uint32_t)RLIMIT_NPROC, UINT64_C(50), UINT64_MAX, 0u);
  CHECK_FAILS(&p, 2, EPERM, "set RLIMIT_NPROC to soft 50, hard unlimited (hard limit now: 100)");
  plan_start(&p);
  plan_add(&p, OP_rlimit, 99u, UINT64_C(1), UINT64_C(1), 0u);
  CHECK_FAILS(&p, 0, EINVAL, "set resource limit 99");
}

static void scheduling_reaches_the_program(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_setsid);
  plan_add(&p, OP_scheduler, 3u, UINT64_C(0), 5, 0u, UINT64_C(0), UINT64_C(0), UINT64_C(0));
  plan_add(&p, OP_ioprio, 3u << 13);
  plan_add(&p, OP_mempolicy, 1u, 1u, "\1"); /* MPOL_PREFERRED, node 0 */
  plan_add(&p, OP_affinity, 1u, "\1");
  plan_script(&p, "grep -q '^Cpus_allowed_list:.0$' /proc/self/status;"
                  "set -- $(cat /proc/self/stat); test ${19} = 5; test ${41} = 3;"
                  "grep -q prefer:0 /proc/self/numa_maps || test ! -e /proc/self/numa_maps;"
                  "test \"$(ionice)\" = idle");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
}

static void an_empty_affinity_means_every_cpu(void) {
  struct plan_bytes p;
  cpu_set_t mine;
  NEED(sched_getaffinity(0, sizeof mine, &mine) == 0);
  char script[128];
  snprintf(script, sizeof script, "test $(nproc) = %d", CPU_COUNT(&mine));
  plan_start(&p);
  plan_add(&p, OP_affinity, 1u, "\1");
  plan_add(&p, OP_affinity, 0u, NULL);
  plan_script(&p, script);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  plan_start(&p);
  plan_add(&p, OP_affinity, 2u, "\0\0");
  CHECK_FAILS(&p, 0, EINVAL, "set the CPU affinity");
  plan_start(&p);
  plan_add(&p, OP_scheduler, 77u, UINT64_C(0), 0, 0u, UINT64_C(0), UINT64_C(0), UINT64_C(0));
  CHECK_FAILS(&p, 0, EINVAL, "set scheduling policy 77");
  plan_start(&p);
  plan_add(&p, OP_ioprio, 5u << 13);
  CHECK_FAILS(&p, 0, EINVAL, "set I/O priority 0xa000");
  plan_start(&p);
  plan_add(&p, OP_mempolicy, 77u, 0u, NULL);
  CHECK_FAILS(&p, 0, EINVAL, "set memory policy 0x4d");
}

/* Makes `to` the same as `from` without close-on-exec. */
static void place(int from, int to) {
  NEED(dup2(from, to) == to);
}

static void preserve_up_to_60(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_close_fds, 58u);
  plan_script(&p, "test -e /proc/$$/fd/60; test ! -e /proc/$$/fd/61");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
}

static void only_the_preserved_descriptors_stay(void) {
  struct plan_bytes p;
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  for (int fd = null + 1; fd < 62; fd++)
    place(null, fd);
  if (null != 3)
    place(null, 3);
  preserve_up_to_60();
  without_call(SYS_close_range, preserve_up_to_60);
  for (int fd = 3; fd < 62; fd++)
    close(fd);
  plan_start(&p);
  plan_add(&p, OP_close_fds, 40u);
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 1);
  CHECK_NUMBER(record.header.error, EBADF);
  CHECK(strncmp(record.detail, "preserve descriptor ", 20) == 0);
}

/* Whatever numbers init's own descriptors have, the program's take their places. */
static void the_program_inherits_slots_in_order(void) {
  static const uint32_t order[] = {1, 0, 1}, missing[] = {2};
  struct plan_bytes p;
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC),
      zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  const int slots[] = {null, zero};
  plan_start(&p);
  plan_add(&p, OP_inherit, 3u, order);
  plan_script(&p,
              "cd /proc/$$/fd; test $(readlink 3) = /dev/zero && test $(readlink 4) = /dev/null &&"
              " test $(readlink 5) = /dev/zero && test ! -e 6");
  CHECK_NUMBER(init_run(&p, slots, 2), 0);
  plan_start(&p);
  plan_add(&p, OP_inherit, 1u, missing);
  CHECK_NUMBER(init_run(&p, slots, 2), 1);
  CHECK_NUMBER(record.header.error, EBADF);
  CHECK_TEXT(record.detail, "pass on slot 2");
  close(null);
  close(zero);
}

static void labels_are_written_for_what_exists(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_label, "none-such", "", "x");
  CHECK_FAILS(&p, 0, ENOENT, "open \"/proc/self/attr/none-such\"");
  plan_start(&p);
  plan_add(&p, OP_label, "none-such", "none-either", "x");
  CHECK_FAILS(&p, 0, ENOENT, "open \"/proc/self/attr/none-either\"");
  /* No security module: the file is there and takes nothing. */
  plan_start(&p);
  plan_add(&p, OP_label, "none-such", "exec", "no such label");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 1);
  CHECK_TEXT(record.detail, "write \"no such label\" to \"/proc/self/attr/exec\"");
}

static void joins_a_keyring_of_its_own(void) {
  struct plan_bytes p;
  char name[64], script[256];
  snprintf(name, sizeof name, "_ses.runts-test-%d", (int)getpid());
  /* Its owner's search permission was added: 3f1b0000 would be without. */
  snprintf(script, sizeof script, "grep -q '3f1b0000.*keyring *%s' /proc/keys", name);
  plan_start(&p);
  plan_add(&p, OP_keyring, name);
  plan_script(&p, script);
  long before = syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0);
  int status = init_run(&p, NO_SLOTS);
  if (before == -1 && errno == ENOSYS)
    status = 0; /* a kernel without keyrings */
  CHECK_NUMBER(status, 0);
}

static void sets_ids_and_groups(void) {
  struct plan_bytes p;
  static const uint32_t groups[] = {5, 70000};
  plan_start(&p);
  plan_add(&p, OP_set_ids, 1234u, 4321u, 2u, groups, 0u);
  plan_script(&p, "test \"$(id -u) $(id -ru) $(id -g)\" = '1234 1234 4321';"
                  "grep -q '^Groups:.5 70000 $' /proc/self/status;"
                  "grep -q '^CapEff:.0*$' /proc/self/status");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  plan_start(&p);
  plan_add(&p, OP_set_ids, 0u, 0u, 2u, groups, 0u);
  plan_add(&p, OP_set_ids, 9u, 9u, 0u, NULL, 1u);
  plan_script(&p, "grep -q '^Groups:.5 70000 $' /proc/self/status");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  plan_start(&p);
  plan_add(&p, OP_set_ids, 9u, 9u, 0u, NULL, 1u);
  plan_add(&p, OP_set_ids, 10u, 9u, 0u, NULL, 1u);
  CHECK_FAILS(&p, 1, EPERM, "set uid 10");
}

static void grants_capabilities_to_a_user(void) {
  struct plan_bytes p;
  uint64_t set = BIT(CAP_CHOWN) | BIT(CAP_NET_RAW);
  plan_start(&p);
  plan_add(&p, OP_bounding, set);
  plan_add(&p, OP_keep_caps, 1u);
  plan_add(&p, OP_set_ids, 1000u, 1000u, 0u, NULL, 0u);
  plan_add(&p, OP_caps, set, set, set, BIT(CAP_NET_RAW));
  plan_script(&p, "s=/proc/self/status;"
                  "grep -q '^CapBnd:.0*2001$' $s; grep -q '^CapInh:.0*2001$' $s;"
                  "grep -q '^CapAmb:.0*2000$' $s; grep -q '^CapEff:.0*2000$' $s");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  CHECK_NUMBER(record.header.type, 0);
}

static void warns_once_of_capabilities_that_cannot_be_granted(void) {
  struct plan_bytes p;
  uint64_t set = BIT(CAP_CHOWN) | BIT(CAP_UNKNOWN) | BIT(63);
  plan_start(&p);
  plan_add(&p, OP_bounding, set);
  plan_add(&p, OP_caps, set, set, set, set | BIT(CAP_NET_RAW));
  plan_script(&p, "grep -q '^CapPrm:.0*1$' /proc/self/status");
  struct conversation c = init_start(&p, NO_SLOTS, false);
  CHECK_NUMBER(init_receive(&c), SYNC_WARNING);
  CHECK_NUMBER(record.header.op, 0);
  CHECK_TEXT(record.detail, "cannot grant capabilities 62, 63");
  CHECK(record.header.value == (BIT(62) | BIT(63)));
  CHECK_NUMBER(init_receive(&c), SYNC_WARNING);
  CHECK_NUMBER(record.header.op, 1);
  CHECK_TEXT(record.detail, "cannot grant capabilities 13");
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 0);
}

static void keeps_the_bounding_set_without_the_right_to_change_it(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_bounding, BIT(0) | BIT(1));
  plan_add(&p, OP_caps, BIT(0), BIT(0), UINT64_C(0), UINT64_C(0));
  plan_add(&p, OP_bounding, BIT(0));
  struct conversation c = init_start(&p, NO_SLOTS, false);
  CHECK_NUMBER(init_receive(&c), SYNC_WARNING);
  CHECK_NUMBER(record.header.op, 2);
  CHECK_NUMBER(record.header.error, EPERM);
  CHECK_TEXT(record.detail, "without CAP_SETPCAP the bounding set keeps capabilities 0x2");
  CHECK_NUMBER(init_receive(&c), 0);
  CHECK_NUMBER(init_end(&c), 0);
}

static void filters_system_calls(void) {
  struct plan_bytes p;
  plan_start(&p);
  plan_add(&p, OP_no_new_privs);
  plan_deny(&p, SYS_mkdir, ENOTTY);
  plan_script(&p, "mkdir /tmp/x 2>&1 | grep -q ioctl; grep -q 'Seccomp:.2' /proc/self/status");
  CHECK_NUMBER(init_run(&p, NO_SLOTS), 0);
  plan_start(&p);
  plan_add(&p, OP_seccomp, 0u, 12u, "0123456789ab", 0u);
  CHECK_FAILS(&p, 0, EINVAL, "a seccomp filter of 12 bytes");
  plan_start(&p);
  plan_add(&p, OP_seccomp, 0u, 8u, "\xff\xff\xff\xff\xff\xff\xff\xff", 0u);
  CHECK_FAILS(&p, 0, EINVAL, "load the seccomp filter");
}

/* The filter even stops the calls by which init would tell of its listener. */
static void hands_over_a_listener_without_a_word(void) {
  struct plan_bytes p;
  struct sock_filter filter[] = FILTER(SYS_close, SECCOMP_RET_USER_NOTIF);
  plan_start(&p);
  plan_add(&p, OP_no_new_privs);
  plan_add(&p, OP_find_program, "/bin/sh", "");
  plan_add(&p, OP_seccomp, 0u, (uint32_t)sizeof filter, filter, 1u);
  plan_add(&p, OP_sync, (uint32_t)SYNC_READY); /* exec would close the listener */
  static const char *const args[] = {"sh", "-c", "exec 7</dev/null 7<&-; exit 8", NULL};
  plan_add(&p, OP_exec, args, args + 3, (int64_t)-1, 0u);
  struct conversation c = init_start(&p, NO_SLOTS, true);
  int type;
  while ((type = init_receive(&c)) == SYNC_TRACE)
    continue;
  CHECK_NUMBER(type, SYNC_NOTIFY);
  int number = (int)record.header.value, listener = -1;
  int pidfd = (int)syscall(SYS_pidfd_open, c.first, 0);
  NEED(pidfd >= 0);
  init_go(&c);
  for (int i = 0; i < 1000 && listener < 0; i++) {
    listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    if (listener < 0)
      usleep(1000);
  }
  CHECK(listener >= 0);
  CHECK_NUMBER(init_receive(&c), SYNC_READY); /* without a trace record before it */
  init_go(&c);
  CHECK_NUMBER(init_receive(&c), 0);
  for (int status;;) { /* let every call go on until the process has ended */
    struct seccomp_notif request = {0};
    if (waitpid(c.first, &status, WNOHANG) == c.first) {
      CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
      break;
    }
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    if (poll(&wait, 1, 10) != 1)
      continue;
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
      continue;
    CHECK_NUMBER(request.data.nr, SYS_close);
    struct seccomp_notif_resp answer = {.id = request.id};
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  close(listener);
  close(pidfd);
  close(c.socket);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(limits_masks_and_flags_reach_the_program),
      TEST(raises_limits_and_lowers_none),
      TEST(tells_the_limit_that_cannot_be_raised),
      TEST(scheduling_reaches_the_program),
      TEST(an_empty_affinity_means_every_cpu),
      TEST(labels_are_written_for_what_exists),
      TEST(joins_a_keyring_of_its_own),
      TEST(sets_ids_and_groups),
      TEST(grants_capabilities_to_a_user),
      TEST(warns_once_of_capabilities_that_cannot_be_granted),
      TEST(keeps_the_bounding_set_without_the_right_to_change_it),
      TEST(filters_system_calls),
      TEST(hands_over_a_listener_without_a_word),
      TEST(only_the_preserved_descriptors_stay),
      TEST(the_program_inherits_slots_in_order),
  };
  NEED(geteuid() == 0);
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
