/* What log.c, file.c and queue.c share. */
#ifndef MONITOR_SINK_H
#define MONITOR_SINK_H

#include "log.h"
#include "monitor.h"

/* Records that are written together. A single one may be longer than what several have. */
#define BATCH_SIZE RECORD_MAX
#define BATCH_FULL (PART_MAX + 4096)
#define BATCH_RECORDS 160

struct batch_record {
  uint32_t end;      /* where the next one begins */
  uint32_t text;     /* bytes of output in it */
  struct line *line; /* of which it is a part */
  bool begins, ends;
};

/* Of one log at a time. What a batch needs as a rule stands in six pages. */
extern struct batch {
  size_t length;
  uint32_t count;
  struct batch_record record[BATCH_RECORDS];
  uint8_t bytes[BATCH_SIZE];
} batch;

/* Records that wait for room: each has its length, its bytes of output, then its bytes. */
#define QUEUE_SIZE 65536
struct queue {
  struct source source; /* while something waits; the descriptor is a copy */
  uint8_t *bytes;       /* QUEUE_SIZE, or NULL */
  size_t start, end;
  size_t sent; /* bytes of the first that have been taken */
};

struct log {
  struct log *next;
  uint32_t users;
  uint32_t max_files;
  uint64_t max_size;
  uint64_t size;   /* of the file */
  uint64_t limit;  /* when it is changed: max_size, or more after that has failed */
  uint64_t lost;   /* bytes of output, of which the log does not tell yet */
  uint32_t within; /* streams in the middle of a line */
  int fd;
  bool is_file;
  struct queue queue;
  struct log_form form;
  char path[];
};

void lose(struct log *log, uint64_t text);
/* A record was written, or may be; or was lost. */
void record_written(struct log *log, const struct batch_record *record);
void record_lost(struct log *log, const struct batch_record *record);
/* Writes the first bytes of the batch, which end with a record, and whatever comes of it, forgets them. */
void log_flush(struct log *log);
/* Once nobody needs it and nothing waits, it is forgotten. */
void log_settle(struct log *log);
int64_t time_now(void);

/* file.c. Whether there is a file to write to; one that was deleted is made anew. */
bool file_look(struct log *log);
/* How many bytes of the batch stay in the file: whole records. */
size_t file_write(struct log *log);
/* There will be no more: it says how much is missing. */
void file_end(struct log *log);
/* path.N becomes path.N+1, and path is made anew. */
void file_rotate(struct log *log);

/* queue.c */
void queue_write(struct log *log);
/* There will be no more: it says how much is missing. */
void queue_end(struct log *log);
void queue_free(struct log *log);
/* A socket for the journal. */
int journal_connect(const char *path);

#endif
