/*
 * Shim mode: containerd's requests, and the brain that they are for. Of ttrpc nothing is known here but the
 * head of a frame.
 *
 * peer.c    containerd's connections: whole frames in, answers out
 * frame.c   requests that wait for their answers
 * link.c    the connection to the brain, which is started where there is none
 * fifo.c    fifos of clients, until their process is made
 */
#ifndef MONITOR_SHIM_H
#define MONITOR_SHIM_H

#include "monitor.h"

#define FRAME_HEAD 10
/* Codes of google.rpc. */
enum { CODE_INVALID = 3, CODE_EXHAUSTED = 8, CODE_UNIMPLEMENTED = 12, CODE_INTERNAL = 13 };

/* A request that is not answered yet. */
struct frame {
  struct frame *next;
  uint32_t connection, stream;
  uint32_t attempts;     /* brains that were told of it */
  bool begun;            /* the one that there is may be at work on it */
  bool held;             /* one that has died was */
  uint8_t deaths, kills; /* brains that died so, of themselves, and by SIGKILL */
  uint32_t length;
  char *parked; /* waits for the end of a process of this name */
  uint8_t bytes[];
};

/* peer.c */
int peers_listen(int fd);
/* Sends a response; a connection that there is no more gets none. */
void peer_answer(uint32_t connection, uint32_t stream, const uint8_t *bytes, size_t length);
/* The same with a failure that says no more than its text, of less than 100 bytes. */
void peer_refuse(uint32_t connection, uint32_t stream, uint32_t code, const char *text);

/* frame.c */
/* Takes the frame. */
void frame_add(struct frame *f);
/* Nobody waits for answers there any more. */
void frames_drop(uint32_t connection);
int frame_answer(uint32_t connection, uint32_t stream, const uint8_t *bytes, size_t length);
int frame_park(uint32_t connection, uint32_t stream, const char *name);
/* A brain that was told of it after another is about to work on it. */
void frame_begin(uint32_t connection, uint32_t stream);
/* There is a brain, or the one that there was, and perhaps worked, has gone; and then how it ended. */
void frames_tell(void);
void frames_return(bool worked);
void frames_judge(bool killed);

/* fifo.c. `read`: -ENXIO where nobody reads it. */
int fifo_open(const char *name, const char *path, bool read, int32_t *copy);

/* link.c */
int link_start(const char *name, const char *directory, const char *path, int *file);
/* The brain; NULL: there is none. */
struct connection *link_brain(void);
/* Something is to be told. */
void link_wanted(void);
/* The brain does its work. */
void link_works(void);
/* Takes the pidfd of the brain. */
void link_know(int32_t *pidfd);
#endif
