/*
 * Logs: format.c makes records of what programs write; log.c collects them in batches, which file.c
 * writes to files, rotating them, and queue.c to what may have no room: fifos, and the journal's socket.
 */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../include/body.h"

/* Longest text of one record; what is longer is written in parts. */
#define PART_MAX 16384

/* What of a stream waits for the end of its line. */
struct line {
  uint8_t *kept; /* PART_MAX bytes, or NULL */
  size_t length;
  bool within; /* it has begun, and not ended */
  bool cut;    /* a part of it was lost: the rest goes, too */
  bool torn;   /* parts of one stand in the log, whose end was lost */
};

struct log;

/* The log of that path, which several processes may share; NULL for BODY_LOG_NONE. 0, or -errno. */
int log_open(const struct body_watch *watch, const char *path, const char *fields,
             struct log **log);
void log_release(struct log *log);
/* Opens its path anew. 0, or -errno: then it is tried again when there is something to write. */
int log_reopen(struct log *log);

/*
 * Logs what was read of a stream (body_stream); what may wait is kept in the line. There must be room for
 * what it has kept (line->length) in front of the bytes. `time`: ns since 1970.
 */
void log_put(struct log *log, struct line *line, int stream, uint8_t *bytes, size_t length,
             int64_t time);
/* The stream has ended: logs what was kept. */
void log_end(struct log *log, struct line *line, int stream, int64_t time);
/* Gives memory back that is not in use just now. */
void line_rest(struct line *line);
void log_rest(void);
/* Whether some log has a queue that is not empty. */
bool logs_wait(void);

/* For format.c. */
struct log_form {
  uint32_t driver;
  bool open;          /* what was written last has no end (raw) */
  const char *fields; /* of the journal's entries */
};
const struct log_form *log_form(const struct log *log);
/* Room for a record of at most that many bytes. */
uint8_t *log_room(struct log *log, size_t most);
/* A record that is there. The files of a log are changed between lines. */
struct record {
  struct line *line;
  size_t length;
  size_t text;       /* bytes of what the program wrote */
  bool begins, ends; /* its line */
};
void log_add(struct log *log, const struct record *record);
/* So much of a line was not even tried. `ends`: it ends there. */
void log_skip(struct log *log, struct line *line, size_t text, bool ends);

/* format.c. Longest record of a text of so many bytes, and of the fields of the journal. */
#define RECORD_MAX (6 * PART_MAX + BODY_FIELDS_MAX + 256)
/* Makes records of whole lines and of full parts; gives how many bytes that were. */
size_t format_lines(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                    size_t length, int64_t time);
/* A part that ends without its line. */
void format_part(struct log *log, struct line *line, int stream, const uint8_t *bytes,
                 size_t length, int64_t time);
/* "N bytes lost", as a line of its own; its length, at most LOSS_MAX. */
#define LOSS_MAX (BODY_FIELDS_MAX + 256)
size_t format_loss(const struct log_form *form, uint64_t lost, int64_t time, uint8_t *to);

#endif
