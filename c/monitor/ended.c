/* The newest recorded ends, for whoever subscribes later. */
#define _GNU_SOURCE 1
#include <stdlib.h>
#include <string.h>

#include "monitor.h"

/* As it is told. */
struct told {
  size_t length;
  struct {
    struct body_reply head;
    struct body_ended ended;
    char name[];
  } packet;
};

static struct told *kept[BODY_ENDED_MAX];
static uint64_t newest;

static uint64_t oldest(void) {
  return newest > BODY_ENDED_MAX ? newest - BODY_ENDED_MAX + 1 : newest > 0;
}

void ended_range(struct body_subscribed *range) {
  *range = (struct body_subscribed){oldest(), newest};
}

/* Without memory nobody is told: the record is there, and the number shows that one is missing. */
void ended_keep(const char *name, const struct ending *ending) {
  size_t size = strlen(name) + 1;
  struct told *told = malloc(sizeof *told + size), **place = &kept[++newest % BODY_ENDED_MAX];
  free(*place);
  *place = told;
  if (!told)
    return;
  told->length = sizeof told->packet + size;
  told->packet.head = (struct body_reply){.operation = BODY_ENDED};
  told->packet.ended = (struct body_ended){newest, ending->time, ending->body};
  memcpy(told->packet.name, name, size);
  connections_tell(&told->packet, told->length);
}

void ended_tell(struct connection *c, uint64_t since) {
  for (uint64_t number = oldest(); number > 0 && number <= newest; number++) {
    const struct told *told = kept[number % BODY_ENDED_MAX];
    if (number > since && told)
      connection_send(c, &told->packet, told->length, NULL, 0);
  }
}
