/* Requests of containerd that wait for their answers. */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <string.h>

#include "../common/memfd.h"
#include "shim.h"

/*
 * So many brains have died at work on it: of themselves, or killed by somebody, which need not have to do with
 * it, as far as the kernel tells. Those that only waited for their turn are not counted.
 */
#define DEATHS_MAX 2
#define KILLS_MAX 200

static struct frame *frames;

static void frame_free(struct frame *f) {
  free(f->parked);
  free(f);
}

static struct frame **frame_find(uint32_t connection, uint32_t stream) {
  struct frame **at = &frames;
  while (*at && ((*at)->connection != connection || (*at)->stream != stream))
    at = &(*at)->next;
  return at;
}

/* As an event; what is long, or has no room, goes in a file. */
static void frame_send(struct frame *f, struct connection *brain) {
  struct {
    struct body_reply head;
    struct body_frame frame;
    uint8_t bytes[BODY_FRAME_MAX];
  } packet;
  size_t size = offsetof(__typeof__(packet), bytes);
  packet.head = (struct body_reply){.operation = BODY_FRAME};
  f->begun = f->attempts == 0;
  packet.frame = (struct body_frame){f->connection, f->stream, ++f->attempts, f->length};
  if (f->length <= BODY_FRAME_MAX) {
    memcpy(packet.bytes, f->bytes, f->length);
    connection_send(brain, &packet, size + f->length, NULL, 0);
    return;
  }
  CLEANUP_FD int32_t file = sealed_memfd("runts-frame", 0, f->bytes, f->length);
  if (file >= 0)
    connection_send(brain, &packet, size, &file, 1);
}

void frame_add(struct frame *f) {
  struct frame **last = &frames;
  while (*last)
    last = &(*last)->next;
  *last = f;
  if (link_brain())
    frame_send(f, link_brain());
  else
    link_wanted();
}

void frames_drop(uint32_t connection) {
  for (struct frame **at = &frames; *at;) {
    struct frame *f = *at;
    if (f->connection != connection) {
      at = &f->next;
      continue;
    }
    *at = f->next;
    frame_free(f);
  }
}

int frame_answer(uint32_t connection, uint32_t stream, const uint8_t *bytes, size_t length) {
  struct frame **at = frame_find(connection, stream), *f = *at;
  if (!f)
    return 0; /* who asked has gone */
  *at = f->next;
  frame_free(f);
  peer_answer(connection, stream, bytes, length);
  return 0;
}

int frame_park(uint32_t connection, uint32_t stream, const char *name) {
  struct frame *f = *frame_find(connection, stream);
  if (!f)
    return 0;
  f->attempts = f->deaths = f->kills = 0;
  if (process_find(name)) {
    free(f->parked);
    f->parked = strdup(name);
  } else if (link_brain()) {
    frame_send(f, link_brain());
  }
  return 0;
}

void frames_unpark(const char *name) {
  for (struct frame *f = frames; f; f = f->next) {
    if (!f->parked || strcmp(f->parked, name) != 0)
      continue;
    free(f->parked);
    f->parked = NULL;
    if (link_brain())
      frame_send(f, link_brain());
    else
      link_wanted();
  }
}

void frames_tell(void) {
  for (struct frame *f = frames; f && link_brain(); f = f->next)
    if (!f->parked)
      frame_send(f, link_brain());
}

void frame_begin(uint32_t connection, uint32_t stream) {
  struct frame *f = *frame_find(connection, stream);
  if (f)
    f->begun = true;
}

void frames_return(bool worked) {
  for (struct frame *f = frames; f; f = f->next) {
    f->held = worked && f->begun && !f->parked;
    f->begun = false;
  }
}

void frames_judge(bool killed) {
  for (struct frame **at = &frames; *at;) {
    struct frame *f = *at;
    uint8_t *count = killed ? &f->kills : &f->deaths;
    if (!f->held || ++*count < (killed ? KILLS_MAX : DEATHS_MAX)) {
      f->held = false;
      at = &f->next;
      continue;
    }
    *at = f->next;
    peer_refuse(f->connection, f->stream, CODE_INTERNAL, "runts ended twice while it did this");
    frame_free(f);
  }
}
