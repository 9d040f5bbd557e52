#define _GNU_SOURCE
#include "warm.h"

#include <errno.h>
#include <poll.h>

#include "body.h"
#include "files.h"
#include "link_data.h"
#include "packet.h"
#include "root.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"
#include "wait.h"

/* How long the brain may take to accept; and in tests, on hosts that are busy. */
#define PATIENCE_MS 100
#define TEST_PATIENCE_MS 60000
/* What is longer goes into a file. */
#define INLINE_MAX (BODY_PACKET_MAX - 1024)

/* Set but empty: there is to be none. */
static int put_socket_path(char *to, char **env) {
  static const char name[] = "RUNTS_BRAIN=";
  const char *given = NULL;
  for (char **entry = env; *entry && !given; entry++)
    given = after(*entry, name);
  if (given && (!*given || length(given) > PATH_ROOM / 2))
    return 0;
  if (!given && !put_default_root(to, env))
    return 0;
  put_string(given ? put_string(to, given) : put_string(to + length(to), "/.brain"), "/socket");
  return 1;
}

/* Counts texts, each of which stands right behind the one before, as the kernel has put them. */
static int count_texts(char **texts, const char **at, uint32_t *count) {
  for (*count = 0; texts[*count]; ++*count) {
    if (texts[*count] != *at)
      return 0;
    *at += length(*at) + 1;
  }
  return 1;
}

static int greet(long socket, char **args, char **env) {
  struct {
    struct body_reply head;
    struct body_greet greet;
  } first = {.head = {.operation = BODY_GREET}};
  const char *end = args[0];
  if (!count_texts(args, &end, &first.greet.arguments) ||
      !count_texts(env, &end, &first.greet.variables))
    return 0;
  put_bytes(first.greet.front_id, linked(front_link_data.front_id), BODY_FRONT_ID_LENGTH);
  size_t size = (size_t)(end - args[0]);
  struct iovec pieces[] = {{&first, sizeof first}, {args[0], size}};
  if (size <= INLINE_MAX)
    return send_packet(socket, pieces, 2, NULL, 0) > 0;
  int32_t file = (int32_t)sealed_memfd(args[0], (long)size);
  if (file < 0)
    return 0;
  long sent = send_packet(socket, pieces, 1, &file, 1);
  sys1(SYS_CLOSE, file);
  return sent > 0;
}

/* Whether it is ready for us; until now it has done nothing. */
static int is_accepted(long socket, struct packet *packet, long patience) {
  struct pollfd polled = {.fd = (int)socket, .events = POLLIN};
  if (wait_for(&polled, 1, patience) <= 0 || receive_packet(socket, packet) <= 0)
    return 0;
  const struct body_header *header = (const struct body_header *)packet->bytes;
  close_all(packet->fds, packet->count);
  return packet->length >= sizeof *header && header->operation == BODY_ACCEPT;
}

/* What is said back proves that we have heard it. */
static int go(long socket, const struct packet *packet) {
  const struct body_header *header = (const struct body_header *)packet->bytes;
  struct body_reply reply = {.operation = header->operation, .request = header->request};
  struct iovec pieces[] = {
      {&reply, sizeof reply},
      {(void *)(uintptr_t)(packet->bytes + sizeof *header), packet->length - sizeof *header}};
  return send_packet(socket, pieces, 2, NULL, 0) > 0;
}

int ask_brain(char **sp, char **env) {
  char path[PATH_ROOM + 32];
  struct packet packet;
  int code = COLD;
  if (!put_socket_path(path, env) || variable(env, "RUNTS_TEST_COLD="))
    return COLD;
  open_streams(); /* before there are descriptors of our own */
  long socket = connect_packets(path);
  if (socket < 0)
    return COLD;
  long patience = variable(env, "RUNTS_TEST_WARM=") ? TEST_PATIENCE_MS : PATIENCE_MS;
  if (greet(socket, sp + 1, env) && is_accepted(socket, &packet, patience) && go(socket, &packet))
    code = be_body(socket, &packet);
  sys1(SYS_CLOSE, socket);
  return code;
}
