/*
 * rtnetlink sockets of this and of other network namespaces. Needs the right to make namespaces.
 * links: c/helper/netlink.c c/common/signals.c
 */
#define _GNU_SOURCE 1
#include "../../c/helper/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/c/test.h"

static _Alignas(8) uint8_t reply[1 << 18];

static const struct {
  struct nlmsghdr header;
  struct ifinfomsg link;
} all_links = {
    {.nlmsg_len = sizeof all_links,
     .nlmsg_type = RTM_GETLINK,
     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
    {.ifi_family = AF_UNSPEC},
};

static int ask(int socket, uint32_t size) {
  return rts_netlink_ask(socket, (const uint8_t *)&all_links, sizeof all_links, reply, size);
}

/* Counts the links of an answer, which must end as answers do. */
static int links(int length) {
  int found = 0, type = 0;
  unsigned left = (unsigned)length;
  for (const struct nlmsghdr *one = (const void *)reply; NLMSG_OK(one, left);
       one = NLMSG_NEXT(one, left)) {
    type = one->nlmsg_type;
    found += type == RTM_NEWLINK;
  }
  CHECK_NUMBER(type, NLMSG_DONE);
  return found;
}

static void lists_the_links_of_this_namespace(void) {
  int socket = rts_netlink_open(-1);
  CHECK(socket >= 0);
  CHECK_NUMBER(fcntl(socket, F_GETFD), FD_CLOEXEC);
  CHECK(links(ask(socket, sizeof reply)) >= 1);
  close(socket);
}

static void refuses_an_answer_that_does_not_fit(void) {
  int socket = rts_netlink_open(-1);
  CHECK_NUMBER(ask(socket, 64), -EMSGSIZE);
  CHECK_NUMBER(ask(socket, 0), -EMSGSIZE);
  close(socket);
}

/* The namespace has a loopback device alone; ours must be what it was. */
static void speaks_about_another_namespace(void) {
  struct stat before, after;
  int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  NEED(ours >= 0 && unshare(CLONE_NEWNET) == 0);
  int fresh = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  NEED(fresh >= 0 && setns(ours, CLONE_NEWNET) == 0);
  stat("/proc/self/ns/net", &before);
  int socket = rts_netlink_open(fresh);
  stat("/proc/self/ns/net", &after);
  CHECK(before.st_ino == after.st_ino);
  CHECK_NUMBER(fcntl(socket, F_GETFD), FD_CLOEXEC);
  CHECK_NUMBER(links(ask(socket, sizeof reply)), 1);
  close(socket);
  close(fresh);
  close(ours);
}

static void refuses_what_is_no_network_namespace(void) {
  int file = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  CHECK_NUMBER(rts_netlink_open(file), -EINVAL);
  close(file);
  CHECK_NUMBER(rts_netlink_open(file), -EBADF);
}

/* What is behind a message that is not padded is no message, even if it looks like one. */
static void looks_no_further_than_the_datagram(void) {
  const struct nlmsghdr done = {.nlmsg_len = sizeof done, .nlmsg_type = NLMSG_DONE};
  struct {
    struct nlmsghdr header;
    uint8_t byte;
  } odd = {.header = {.nlmsg_len = sizeof odd.header + 1, .nlmsg_type = RTM_NEWLINK}};
  const size_t padded = NLMSG_ALIGN(sizeof odd.header + 1);
  int pair[2];
  NEED(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
  memcpy(reply + padded, &done, sizeof done);
  CHECK_NUMBER(send(pair[1], &odd, odd.header.nlmsg_len, 0), odd.header.nlmsg_len);
  CHECK_NUMBER(send(pair[1], &done, sizeof done, 0), sizeof done);
  CHECK_NUMBER(ask(pair[0], sizeof reply), padded + sizeof done);
  close(pair[0]);
  close(pair[1]);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(lists_the_links_of_this_namespace),  TEST(refuses_an_answer_that_does_not_fit),
      TEST(speaks_about_another_namespace),     TEST(refuses_what_is_no_network_namespace),
      TEST(looks_no_further_than_the_datagram),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
