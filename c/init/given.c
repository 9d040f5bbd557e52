/* What init is given over the conversation, where it was started before there was a plan. */
#define _GNU_SOURCE 1
#include <sys/socket.h>
#include <unistd.h>

#include "init.h"

struct given {
  struct sync_header header;
  uint32_t slots[SYNC_FDS_MAX];
};

/* How many descriptors have come. */
static uint32_t count_of(const struct msghdr *message) {
  const struct cmsghdr *header = CMSG_FIRSTHDR(message);
  if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
    return 0;
  return (uint32_t)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

/* The next record with its descriptors: how many they are. Ends the process when runts has gone. */
static int take(struct init *in, struct given *given, int fds[SYNC_FDS_MAX]) {
  union {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(SYNC_FDS_MAX * sizeof(int))];
  } control;
  struct iovec data = {given, sizeof *given};
  struct msghdr message = {
      .msg_iov = &data,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  long length = RETRY(recvmsg(in->sync, &message, MSG_CMSG_CLOEXEC));
  if (length == 0 || length == -ECONNRESET)
    end_process(1);
  if (length < 0)
    return fail_at(in, (int)length, "wait for the plan");
  if (message.msg_flags & MSG_CTRUNC)
    return fail_at(in, -EMFILE, "take descriptors");
  uint32_t count = count_of(&message);
  size_t slots = given->header.type == SYNC_SLOTS ? count : 0;
  if ((size_t)length != sizeof given->header + slots * sizeof *given->slots)
    return fail_at(in, -EPROTO, "a record of %ld bytes", length);
  if (count > 0)
    memcpy(fds, CMSG_DATA(&control.header), count * sizeof *fds);
  return (int)count;
}

/* Puts what has come into its slots, none of which is taken. */
static int fill(struct init *in, const struct given *given, const int *fds, int count, int *slots) {
  for (int i = 0; i < count; i++) {
    if (given->slots[i] >= SLOTS_MAX || slots[given->slots[i]] >= 0)
      return fail_at(in, -EPROTO, "slot %u", given->slots[i]);
    slots[given->slots[i]] = fds[i];
  }
  return 0;
}

int take_plan(struct init *in, int slots[SLOTS_MAX]) {
  struct given given;
  int fds[SYNC_FDS_MAX];
  for (;;) {
    int count = take(in, &given, fds);
    if (count < 0)
      return count;
    if (count == 1 && given.header.type == SYNC_PLAN) {
      in->late = (uint32_t)given.header.value;
      return fds[0];
    }
    if (count == 0 || given.header.type != SYNC_SLOTS)
      return fail_at(in, -EPROTO, "a record of type %d", (int)given.header.type);
    int error = fill(in, &given, fds, count, slots);
    if (error != 0)
      return error;
  }
}

/* The next descriptors that come later than the plan. */
static int take_late(struct init *in) {
  struct given given;
  int fds[SYNC_FDS_MAX];
  int count = take(in, &given, fds);
  if (count < 0)
    return count;
  if (count == 0 || given.header.type != SYNC_SLOTS || (uint32_t)count > in->late)
    return fail_at(in, -EPROTO, "a record of type %d with %d descriptors", (int)given.header.type,
                   count);
  in->late -= (uint32_t)count;
  return fill(in, &given, fds, count, in->slots);
}

int take_all_late(struct init *in) {
  int error = 0;
  while (error == 0 && in->late > 0)
    error = take_late(in);
  return error;
}

int slot_awaited(struct init *in, uint32_t slot) {
  if (slot >= in->slot_count)
    return fail_at(in, -EINVAL, "slot %u", slot);
  while (in->slots[slot] < 0 && in->late > 0) {
    int error = take_late(in);
    if (error != 0)
      return error;
  }
  if (in->slots[slot] < 0)
    return fail_at(in, -EBADF, "slot %u is empty", slot);
  return in->slots[slot];
}
