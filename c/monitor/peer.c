/* Connections of containerd, over a stream: a frame is its head, big-endian, and so many bytes. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "shim.h"

#define FRAME_MAX (4u << 20)
#define TYPE_REQUEST 1
#define TYPE_RESPONSE 2
#define READS_A_TURN 16

/* What could not be sent at once. */
struct rest {
  struct rest *next;
  size_t length, at;
  uint8_t bytes[];
};

struct peer {
  struct source source;
  struct peer *next;
  uint32_t number;
  uint32_t last;  /* stream of the newest request */
  size_t have;    /* bytes of the head, or of the frame */
  uint32_t skips; /* bytes of a frame that is too long */
  uint8_t head[FRAME_HEAD];
  struct frame *frame;
  struct rest *rests;
};

static struct source listening = {.fd = -1};
static struct peer *peers;
static uint32_t numbers;

static void peer_end(struct peer *p) {
  struct peer **at = &peers;
  while (*at != p)
    at = &(*at)->next;
  *at = p->next;
  frames_drop(p->number);
  loop_remove(&p->source);
  for (struct rest *r = p->rests, *next; r; r = next) {
    next = r->next;
    free(r);
  }
  free(p->frame);
  free(p);
}

static void put_head(uint8_t *head, uint32_t length, uint32_t stream) {
  uint32_t numbers[2] = {htonl(length), htonl(stream)};
  memcpy(head, numbers, sizeof numbers);
  head[8] = TYPE_RESPONSE;
  head[9] = 0;
}

/* The rest waits for room. Who cannot be told any more is hung up on. */
static void peer_send(struct peer *p, struct rest *r) {
  struct rest **last = &p->rests;
  if (!p->rests) {
    long sent = RETRY(send(p->source.fd, r->bytes, r->length, MSG_NOSIGNAL | MSG_DONTWAIT));
    r->at = sent > 0 ? (size_t)sent : 0;
    if (r->at == r->length || (sent < 0 && sent != -EAGAIN)) {
      free(r);
      return; /* the loop finds it hung up */
    }
    loop_change(&p->source, EPOLLIN | EPOLLOUT);
  }
  while (*last)
    last = &(*last)->next;
  *last = r;
}

static void peer_go_on(struct peer *p) {
  while (p->rests) {
    struct rest *r = p->rests;
    long sent =
        RETRY(send(p->source.fd, r->bytes + r->at, r->length - r->at, MSG_NOSIGNAL | MSG_DONTWAIT));
    if (sent < 0)
      return;
    r->at += (size_t)sent;
    if (r->at < r->length)
      return;
    p->rests = r->next;
    free(r);
  }
  loop_change(&p->source, EPOLLIN);
}

void peer_answer(uint32_t connection, uint32_t stream, const uint8_t *bytes, size_t length) {
  struct peer *p = peers;
  while (p && p->number != connection)
    p = p->next;
  struct rest *r = p ? calloc(1, sizeof *r + FRAME_HEAD + length) : NULL;
  if (!r)
    return;
  r->length = FRAME_HEAD + length;
  put_head(r->bytes, (uint32_t)length, stream);
  memcpy(r->bytes + FRAME_HEAD, bytes, length);
  peer_send(p, r);
}

/* Response { status 1 { code 1, message 2 } }, as protocol buffers have it. */
void peer_refuse(uint32_t connection, uint32_t stream, uint32_t code, const char *text) {
  size_t length = strlen(text);
  uint8_t bytes[128] = {0x0a, (uint8_t)(length + 4), 0x08, (uint8_t)code, 0x12, (uint8_t)length};
  memcpy(bytes + 6, text, length);
  peer_answer(connection, stream, bytes, length + 6);
}

/* The head of a frame is there. */
static bool peer_begin(struct peer *p) {
  uint32_t numbers[2];
  memcpy(numbers, p->head, sizeof numbers);
  uint32_t length = ntohl(numbers[0]), stream = ntohl(numbers[1]);
  p->have = 0;
  bool is_request = p->head[8] == TYPE_REQUEST;
  struct frame *f = is_request && length <= FRAME_MAX ? malloc(sizeof *f + length) : NULL;
  if (!f) {
    p->skips = length;
    if (is_request)
      peer_refuse(p->number, stream, CODE_EXHAUSTED, "the message is too long");
    else
      peer_refuse(p->number, stream, CODE_UNIMPLEMENTED, "streams are not supported");
    return true;
  }
  *f = (struct frame){.connection = p->number, .stream = stream, .length = length};
  p->frame = f;
  return length > 0;
}

/* Numbers of streams are odd, and rise. */
static void peer_take(struct peer *p) {
  struct frame *f = p->frame;
  p->frame = NULL;
  p->have = 0;
  if (f->stream % 2 == 0 || f->stream <= p->last) {
    peer_refuse(p->number, f->stream, CODE_INVALID,
                "the number of the stream is even, or was used");
    free(f);
    return;
  }
  p->last = f->stream;
  frame_add(f);
}

static long peer_read(struct peer *p) {
  uint8_t *to = p->head + p->have;
  size_t wanted = FRAME_HEAD - p->have;
  if (p->frame) {
    to = p->frame->bytes + p->have;
    wanted = p->frame->length - p->have;
  } else if (p->skips > 0) {
    to = scratch;
    wanted = p->skips < sizeof scratch ? p->skips : sizeof scratch;
  }
  long length = RECEIVE(recv(p->source.fd, to, wanted, MSG_DONTWAIT));
  if (length <= 0)
    return length;
  if (!p->frame && p->skips > 0) {
    p->skips -= (uint32_t)length;
    return length;
  }
  p->have += (size_t)length;
  bool whole = p->frame ? p->have == p->frame->length : p->have == FRAME_HEAD && !peer_begin(p);
  if (whole)
    peer_take(p);
  return length;
}

static void peer_ready(struct source *source, uint32_t events) {
  struct peer *p = (struct peer *)source;
  if (events & EPOLLOUT)
    peer_go_on(p);
  long length = 1;
  for (int i = 0; i < READS_A_TURN && length > 0; i++)
    length = peer_read(p);
  if (length <= 0 && length != -EAGAIN)
    peer_end(p);
}

/* As containerd's own shim has it, the peer is of the same user and group. */
static bool is_welcome(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid() &&
         peer.gid == getegid();
}

static void listening_ready(struct source *source, uint32_t events) {
  (void)events;
  int fd = (int)RETRY(accept4(source->fd, NULL, NULL, SOCK_CLOEXEC));
  if (fd < 0)
    return;
  struct peer *p = is_welcome(fd) ? calloc(1, sizeof *p) : NULL;
  if (!p || loop_add(&p->source, fd, EPOLLIN, peer_ready) != 0) {
    free(p);
    close(fd);
    return;
  }
  p->number = ++numbers;
  p->next = peers;
  peers = p;
}

int peers_listen(int fd) {
  return listening.fd >= 0 ? -EBUSY : loop_add(&listening, fd, EPOLLIN, listening_ready);
}
